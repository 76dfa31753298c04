import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

public final class OkHttp {
	public static void main(String[] args) throws Exception {
		OkHttpClient client = new OkHttpClient();
		Request request = new Request.Builder().url(args[0]).build();
		Drive.bursts(() -> {
			try (Response response = client.newCall(request).execute()) {
				response.body().string();
			}
		});
		System.exit(0);
	}
}
