"""GET /docs: one page to try the service in a browser; it needs nothing from anywhere else."""

from __future__ import annotations

from ...errors import STATUS

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Try the service</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Cpath
 d='M1 1l6 3-6 3z' fill='%230b5394'/%3E%3C/svg%3E">
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.4rem;margin:0} h2{font-size:1.1rem;margin:2rem 0 .5rem}
label{display:block;margin:1rem 0 .25rem;font-weight:600} a{color:#0b5394}
textarea,input{box-sizing:border-box;width:100%;font:14px/1.4 ui-monospace,monospace;
padding:.5rem;border:1px solid #888}
input[type=checkbox]{width:auto}
button{margin:1rem 0;padding:.5rem 1.5rem;font:inherit;border:1px solid #0b5394;background:#0b5394;color:#fff}
pre{background:#f3f3f3;padding:.75rem;overflow:auto;white-space:pre-wrap;word-break:break-word;min-height:1.5rem}
table{border-collapse:collapse} td{padding:.1rem 1rem .1rem 0;vertical-align:top}
.muted{color:#555}
@media(prefers-color-scheme:dark){body{background:#16181b;color:#e8e8e8} a{color:#8ab8f0}
pre,textarea,input{background:#22262b;color:#e8e8e8}
.muted{color:#aaa}}
</style></head><body>
<h1 id="title">Scoring service</h1><p class="muted" id="description"></p>
<label for="key">Key or token, if the service asks for one</label>
<input id="key" type="password" autocomplete="off" placeholder="not kept">
<p id="asked" class="muted" role="status"></p>
<div id="fields"></div>
<label for="body">Input (POST %(prefix)s/score)</label><textarea id="body" rows="10">{}</textarea>
<button id="send">Score</button>
<p id="status" class="muted" role="status"></p><pre id="answer" aria-label="Answer"></pre>
<label>The same from a shell</label><pre id="curl"></pre>
<h2>Routes</h2><table id="routes"></table>
<p>Documents: <a href="%(prefix)s/swagger.json?version=3.1">OpenAPI 3.1</a> ·
<a href="%(prefix)s/swagger.json?version=3">3.0</a> · <a href="%(prefix)s/swagger.json">2.0</a></p>
<h2>Errors</h2><p class="muted">A body has status_code, message, code and often hint.</p><table>%(errors)s</table>
<script>
const prefix = %(prefix_js)s, el = id => document.getElementById(id);
const fixed = ["/swagger.json", "/docs", "/metrics", "/health/live", "/health/ready", "/health/startup"];
function curl() {
  const quoted = el("body").value.replace(/'/g, "'\\\\''");
  const key = el("key").value ? " -H 'Authorization: Bearer KEY'" : "";
  el("curl").textContent =
    `curl -X POST ${location.origin}${prefix}/score -H 'Content-Type: application/json'${key} -d '${quoted}'`;
}
function auth() { return el("key").value ? {"Authorization": "Bearer " + el("key").value} : {}; }
function add(parent, name, text, more) {
  const made = Object.assign(document.createElement(name), {textContent: text || ""}, more);
  parent.appendChild(made);
  return made;
}
function form(schema) {
  // A field for each member of the input; the text below is what is sent.
  const body = () => { try { return JSON.parse(el("body").value) || {}; } catch (error) { return {}; } };
  el("fields").textContent = "";
  for (const [name, given] of Object.entries(schema.properties || {})) {
    add(el("fields"), "label", name + (given.description ? " - " + given.description : ""), {htmlFor: "field-" + name});
    const plain = ["string", "number", "integer", "boolean"].includes(given.type);
    const field = add(el("fields"), plain ? "input" : "textarea", "", {id: "field-" + name});
    const value = body()[name];
    if (given.type === "boolean") { field.type = "checkbox"; field.checked = value === true; }
    else field.value = given.type === "string" ? value ?? "" : JSON.stringify(value ?? null);
    field.oninput = () => {
      let read = given.type === "boolean" ? field.checked : field.value;
      if (given.type !== "string" && given.type !== "boolean") {
        try { read = JSON.parse(read); field.setCustomValidity(""); }
        catch (error) { field.setCustomValidity("This is no JSON"); field.reportValidity(); return; }
      }
      el("body").value = JSON.stringify({...body(), [name]: read}, null, 2);
      curl();
    };
  }
}
function routes(doc) {
  el("routes").textContent = "";
  const rows = Object.entries(doc.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) =>
    [method.toUpperCase() + " " + path, operation.description || operation.summary || ""]));
  rows.push(...fixed.filter(path => !doc.paths[prefix + path]).map(path => ["GET " + prefix + path, ""]));
  for (const row of rows) {
    const line = add(el("routes"), "tr");
    for (const text of row) add(line, "td", text);
  }
}
async function describe() {
  let answer;
  try { answer = await fetch(prefix + "/swagger.json?version=3.1", {headers: auth()}); }
  catch (error) { el("asked").textContent = "No answer: " + error; return; }
  if (answer.status === 401) {
    el("asked").textContent = el("key").value ? "The service does not take this key."
      : "The service asks for a key or token: with it, its schema and form are shown here.";
    return;
  }
  el("asked").textContent = answer.ok ? "" : `The service's schema cannot be had now: ${answer.status}`;
  if (!answer.ok) return;
  const doc = await answer.json();
  el("title").textContent = document.title = doc.info.title;
  el("description").textContent = doc.info.description + ", version " + doc.info.version;
  const input = doc.components.schemas.ServiceInput;
  if (el("body").value === "{}" && input.example) el("body").value = JSON.stringify(input.example, null, 2);
  form(input); routes(doc); curl();
}
el("send").onclick = async () => {
  el("status").textContent = "…";
  const start = performance.now();
  try {
    const answer = await fetch(prefix + "/score",
      {method: "POST", headers: {"Content-Type": "application/json", ...auth()}, body: el("body").value});
    const text = await answer.text(), took = Math.round(performance.now() - start);
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch (error) { /* shown as it is */ }
    el("status").textContent = `${answer.status} in ${took} ms, request ${answer.headers.get("x-request-id") || "?"}`;
    el("answer").textContent = shown;
  } catch (error) { el("status").textContent = "No answer: " + error; }
};
el("body").oninput = el("key").oninput = curl;
el("key").onchange = describe;
describe(); curl();
</script></body></html>
"""


def page(path_prefix: str) -> bytes:
    """Return the page.

    Args:
        path_prefix: prefix of the service's routes, without slashes at its ends.
    """
    import html  # asked for seldom; its table of entities is half a megabyte

    prefix = f"/{path_prefix}" if path_prefix else ""
    quoted = "".join(char if char.isalnum() or char in "/-._~" else f"\\u{ord(char):04x}" for char in prefix)
    text = _PAGE.replace("%(prefix)s", html.escape(prefix)).replace("%(prefix_js)s", f'"{quoted}"')
    return text.replace("%(errors)s", _errors()).encode("utf-8")


def _errors() -> str:
    """Return the rows of the codes that a caller may be answered with, by their status."""
    codes: dict[int, list[str]] = {}
    for code, status in STATUS.items():
        codes.setdefault(status, []).append(code)
    return "".join(f"<tr><td>{status}</td><td>{', '.join(codes[status])}</td></tr>" for status in sorted(codes))
