import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public final class JdkClient {
	public static void main(String[] args) throws Exception {
		HttpClient client = HttpClient.newHttpClient();
		HttpRequest request = HttpRequest.newBuilder(URI.create(args[0])).build();
		Drive.bursts(() -> client.send(request, HttpResponse.BodyHandlers.ofString()));
		System.exit(0);
	}
}
