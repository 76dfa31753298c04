require 'typhoeus'

$stdout.sync = true
hydra = Typhoeus::Hydra.new(max_concurrency: 10)
while (line = $stdin.gets)
  3.times do
    line.to_i.times { hydra.queue(Typhoeus::Request.new(ARGV[0])) }
    hydra.run
  end
  puts 'done'
end
