import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

public final class ApacheClient {
	public static void main(String[] args) throws Exception {
		try (CloseableHttpClient client = HttpClients.custom().setMaxConnPerRoute(8).build()) {
			Drive.bursts(() -> {
				try (var response = client.execute(new HttpGet(args[0]))) {
					EntityUtils.consume(response.getEntity());
				}
			});
		}
	}
}
