import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

public final class Hikari {
	public static void main(String[] args) throws Exception {
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(args[0]);
		config.setUsername(args[1]);
		config.setMaximumPoolSize(8);
		config.setMinimumIdle(4);
		try (HikariDataSource source = new HikariDataSource(config)) {
			Drive.bursts(() -> {
				try (var connection = source.getConnection(); var statement = connection.createStatement()) {
					statement.execute("select 1");
				}
			});
		}
	}
}
