require 'mysql2'
require_relative 'drive'

links = {}
bursts do |i|
  begin
    links[i] ||= Mysql2::Client.new(host: '127.0.0.1', port: ARGV[0].to_i, username: 'root')
    links[i].query('select 1')
  rescue Mysql2::Error
    links.delete(i)&.close
    retry
  end
end
