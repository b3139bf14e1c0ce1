// Express as the third seed document has it, which is also one that never stops its timers. Changed: the port and the interval
// come from the environment, and it says where it listens.
const express = require('express');
const app = express();

app.get('/event-stream', (req, res) => {
  res.setHeader('Content-Type', 'text/event-stream');
  res.setHeader('Cache-Control', 'no-cache');
  res.setHeader('Connection', 'keep-alive');

  setInterval(() => {
    res.write('data: Hello from server\n\n');
  }, Number(process.env.INTERVAL_MS || 1000));
});

const server = app.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
  console.log(`Server listening on http://127.0.0.1:${server.address().port}`);
});
