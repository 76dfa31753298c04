import java.net.URL;

public final class JdkUrl {
	public static void main(String[] args) throws Exception {
		URL url = new URL(args[0]);
		Drive.bursts(() -> {
			try (var in = url.openConnection().getInputStream()) {
				in.readAllBytes();
			}
		});
	}
}
