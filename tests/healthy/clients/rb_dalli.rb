require 'dalli'
require 'connection_pool'
require_relative 'drive'

pool = ConnectionPool.new(size: 8) { Dalli::Client.new("127.0.0.1:#{ARGV[0]}") }
bursts { pool.with { |client| client.set('a', 'b') } }
