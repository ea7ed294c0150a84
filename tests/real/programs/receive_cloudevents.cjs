// Receives events with the JavaScript SDK of CloudEvents: NODE_PATH=... node receive_cloudevents.cjs PORT
// GET returns the events so far as a JSON list of {"attributes", "data"}; data are in base64.
const { createServer } = require("node:http");
const { HTTP } = require("cloudevents");

const events = [];

function shown(event) {
  const { data, data_base64, ...attributes } = event.toJSON();
  const bytes = data_base64 ?? Buffer.from(typeof data === "string" ? data : JSON.stringify(data ?? null)).toString("base64");
  return { attributes, data: bytes };
}

createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    if (request.method === "GET") {
      response.end(JSON.stringify(events));
      return;
    }
    const found = HTTP.toEvent({ headers: request.headers, body: Buffer.concat(pieces).toString() });
    events.push(...[found].flat().map(shown));
    response.end();
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
