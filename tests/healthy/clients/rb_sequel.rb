require 'sequel'
require_relative 'drive'

db = Sequel.connect(adapter: 'postgres', host: '127.0.0.1', port: ARGV[0], user: 'postgres', database: 'postgres',
                    max_connections: 8)
db.extension(:connection_validator)
db.pool.connection_validation_timeout = 10
bursts do
  begin
    db['select 1'].all
  rescue Sequel::DatabaseDisconnectError
    retry
  end
end
