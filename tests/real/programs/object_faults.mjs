// Reads objects of Argo Rollouts and Knative as JSON from standard input, and writes the faults of each as JSON:
// node object_faults.mjs NODE_MODULES
//
// The validators of the packages check types and required fields, and let unknown fields pass, as an API server prunes
// them without a word. They read each field that they know, so those that they never read are unknown.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const OWN_STATUS = "data must have required property status"; // the controller writes it

const PACKAGES = { AnalysisTemplate: "argo-rollouts", Broker: "knative", SinkBinding: "knative", Trigger: "knative" };

function watched(value, path, read) {
  if (value === null || typeof value !== "object") return value;
  return new Proxy(value, {
    get(target, name) {
      const found = Reflect.get(target, name);
      if (typeof name === "symbol" || !Object.hasOwn(target, name)) return found;
      read.add(`${path}/${name}`);
      return watched(found, `${path}/${name}`, read);
    },
  });
}

function* fields(value, path = "") {
  if (value === null || typeof value !== "object") return;
  for (const [name, inner] of Object.entries(value)) {
    yield `${path}/${name}`;
    yield* fields(inner, `${path}/${name}`);
  }
}

async function faults(object, modules) {
  const file = `${modules}/@kubernetes-models/${PACKAGES[object.kind]}/${object.apiVersion}/${object.kind}.js`;
  const model = (await import(pathToFileURL(file)))[object.kind];
  const read = new Set(["/apiVersion", "/kind"]);
  const found = [];
  try {
    const instance = new Proxy(new model(object), {
      get: (target, name) =>
        Object.hasOwn(object, name) ? watched(object, "", read)[name] : Reflect.get(target, name),
    });
    model.prototype.validate.call(instance);
  } catch (error) {
    if (error.message !== OWN_STATUS) found.push(error.message);
  }
  const unknown = [...fields(object)].filter((path) => !read.has(path));
  return found.concat(unknown.map((path) => `${path} is unknown`));
}

const all = [];
for (const object of JSON.parse(readFileSync(0, "utf8"))) all.push(await faults(object, process.argv[2]));
process.stdout.write(JSON.stringify(all));
