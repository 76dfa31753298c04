require 'excon'

# Excon keeps a connection for each thread, and those of threads that have ended until they are collected: one thread.
$stdout.sync = true
links = Array.new(10) { Excon.new(ARGV[0], persistent: true) }
while (line = $stdin.gets)
  line.to_i.times do |i|
    begin
      links[i].get(idempotent: true)
    rescue Excon::Error::Socket
      retry
    end
  end
  puts 'done'
end
