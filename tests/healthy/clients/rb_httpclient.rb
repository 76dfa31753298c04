require 'httpclient'
require_relative 'drive'

client = HTTPClient.new
client.keep_alive_timeout = 3600
bursts { client.get(ARGV[0]) }
