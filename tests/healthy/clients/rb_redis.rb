require 'redis'
require_relative 'drive'

links = Array.new(10) { Redis.new(host: '127.0.0.1', port: ARGV[0].to_i, reconnect_attempts: 3) }
bursts { |i| links[i].set('a', 'b') }
