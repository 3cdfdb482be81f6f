// SPDX-License-Identifier: GPL-2.0-only
// The npm package node-netflowv9 as a collector for the examination: node .ci/node-netflowv9.js PORT FOLDER
const fs = require('fs');
const listener = require('node-netflowv9');
const [port, folder] = process.argv.slice(2);
const out = fs.openSync(folder + '/flows.json', 'w');
listener((packet) => {
  for (const flow of packet.header.version === 5 ? packet.flows : []) {
    fs.writeSync(out, JSON.stringify({exporter: packet.rinfo.address, ...flow}) + '\n');
  }
}).listen(Number(port));
