require 'net/http/persistent'
require_relative 'drive'

http = Net::HTTP::Persistent.new(name: 'healthy', pool_size: 8)
http.idle_timeout = nil
uri = URI(ARGV[0])
bursts { http.request(uri) }
