import org.apache.commons.dbcp2.BasicDataSource;

public final class Dbcp {
	public static void main(String[] args) throws Exception {
		try (BasicDataSource source = new BasicDataSource()) {
			source.setUrl(args[0]);
			source.setUsername(args[1]);
			source.setMaxTotal(8);
			source.setMaxIdle(8);
			source.setValidationQuery("select 1");
			Drive.bursts(() -> {
				try (var connection = source.getConnection(); var statement = connection.createStatement()) {
					statement.execute("select 1");
				}
			});
		}
	}
}
