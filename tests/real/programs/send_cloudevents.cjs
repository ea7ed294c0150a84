// Sends events with the JavaScript SDK of CloudEvents: NODE_PATH=... node send_cloudevents.cjs URL < events
// Reads a JSON list of {"mode", "attributes", "data"}; prints the list of the responses' status codes.
// All events of mode "batch" are sent in one request, after the others; data {"base64": ...} are bytes.
const { readFileSync } = require("node:fs");
const { CloudEvent, HTTP } = require("cloudevents");

function eventOf({ attributes, data }) {
  return new CloudEvent({ ...attributes, data: data.base64 ? Buffer.from(data.base64, "base64") : data });
}

async function post(url, { headers, body }) {
  return (await fetch(url, { method: "POST", headers, body })).status;
}

async function main(url) {
  const wanted = JSON.parse(readFileSync(0, "utf8"));
  const statuses = [];
  for (const one of wanted.filter(({ mode }) => mode !== "batch")) {
    statuses.push(await post(url, HTTP[one.mode](eventOf(one))));
  }
  const batch = wanted.filter(({ mode }) => mode === "batch").map(eventOf);
  if (batch.length > 0) {
    const headers = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
    statuses.push(await post(url, { headers, body: JSON.stringify(batch) }));
  }
  console.log(JSON.stringify(statuses));
}

main(process.argv[2]);
