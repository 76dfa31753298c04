# What the clients in Ruby have in common: a number on a line of stdin is a burst of so many threads.
def bursts
  $stdout.sync = true
  while (line = $stdin.gets)
    Array.new(line.to_i) { |i| Thread.new { 3.times { yield i } } }.each(&:join)
    puts 'done'
  end
end
