const http = require('http');
const readline = require('readline');

const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
const fetch = () => new Promise((done) => {
  http.get(process.argv[2], { agent }, (response) => response.resume().on('end', done)).on('error', done);
});
readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  for (let round = 0; round < 3; round++)
    await Promise.all(Array.from({ length: Number(line) }, fetch));
  console.log('done');
}).on('close', () => agent.destroy());
