// A publisher in another language: npm install zeromq apache-arrow; node publisher.mjs [PORT]
// Then, in a terminal: livetable tcp://127.0.0.1:5412
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { XPublisher } from "zeromq";

const name = "counter", rows = 3, columns = 2, key = ["id"];
const epoch = Date.now().toString(16); // another life, another epoch
const socket = new XPublisher({ verbosity: "allSubsUnsubs", sendHighWaterMark: 0, linger: 200 });
await socket.bind(`tcp://127.0.0.1:${process.argv[2] ?? 5412}`);

let seq = 0, body, sentAt;
let sending = Promise.resolve(); // one message after the other
const waiting = new Map(); // wants that wait for news

function reply({ topic, want }, fields, ...parts) {
  const header = { livetable: 1, table: name, want, epoch, seq, ...fields };
  sending = sending.then(() => socket.send([topic, JSON.stringify(header), ...parts]));
}

function answer(want) {
  const age = (Date.now() - sentAt) / 1000, size = body.length;
  if (want.table === null) {
    const info = { name, epoch, seq, rows, columns, rate: 5, age, pid: process.pid, key };
    reply(want, { kind: "catalogue", table: "", tables: [{ ...info, process: "node" }] });
  } else reply(want, { kind: "snapshot", age, rows, columns, size, part: [0, 1], key }, body);
}

function publish() {
  const n = Int32Array.from({ length: rows }, (_, at) => seq * 10 + at);
  body = tableToIPC(tableFromArrays({ id: ["a", "b", "c"], n }), "stream");
  [seq, sentAt] = [seq + 1, Date.now()];
  waiting.forEach(answer);
  waiting.clear();
}

publish();
setInterval(publish, 200);
for await (const [message] of socket) {
  if (message[0] <= 1) continue; // a subscription, or its end
  const want = JSON.parse(message);
  if (![null, name].includes(want.table)) reply(want, { kind: "absent", table: want.table });
  else if (want.epoch !== epoch || want.seq !== seq) answer(want);
  else waiting.set(`${want.topic} ${want.table}`, want); // rests it over a second: say "idle"
}
