require 'pg'
require_relative 'drive'

links = {}
bursts do |i|
  begin
    links[i] ||= PG.connect(host: '127.0.0.1', port: ARGV[0], user: 'postgres', dbname: 'postgres')
    links[i].exec('select 1')
  rescue PG::Error
    links.delete(i)&.close
    retry
  end
end
