import java.io.BufferedReader;
import java.io.InputStreamReader;

/** What the clients in Java have in common: a number on a line of stdin is a burst of so many threads. */
final class Drive {
	interface Work {
		void run() throws Exception;
	}

	static void bursts(Work work) throws Exception {
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
		for (String line; (line = in.readLine()) != null; System.out.println("done")) {
			Thread[] threads = new Thread[Integer.parseInt(line)];
			for (int i = 0; i < threads.length; i++) {
				threads[i] = new Thread(() -> repeat(work));
				threads[i].start();
			}
			for (Thread thread : threads)
				thread.join();
		}
	}

	private static void repeat(Work work) {
		for (int i = 0; i < 3; i++) {
			try {
				work.run();
			} catch (Exception gone) {
				System.err.println(gone);
			}
		}
	}
}
