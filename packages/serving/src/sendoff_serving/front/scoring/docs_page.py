"""GET /docs: one page to try the service in a browser; it needs nothing from anywhere else."""

from __future__ import annotations

import html

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Try the service</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.4rem;margin:0} label{display:block;margin:1rem 0 .25rem;font-weight:600}
textarea,input{box-sizing:border-box;width:100%;font:14px/1.4 ui-monospace,monospace;
padding:.5rem;border:1px solid #888}
button{margin:1rem 0;padding:.5rem 1.5rem;font:inherit;border:1px solid #0b5394;background:#0b5394;color:#fff}
pre{background:#f3f3f3;padding:.75rem;overflow:auto;white-space:pre-wrap;word-break:break-word;min-height:1.5rem}
.muted{color:#555}
@media(prefers-color-scheme:dark){body{background:#16181b;color:#e8e8e8}
pre,textarea,input{background:#22262b;color:#e8e8e8}
.muted{color:#aaa}}
</style></head><body>
<h1 id="title">Scoring service</h1><p class="muted" id="description"></p>
<p><a href="%(prefix)s/swagger.json?version=3.1">OpenAPI 3.1</a> · <a href="%(prefix)s/swagger.json?version=3">3.0</a> ·
<a href="%(prefix)s/swagger.json">2.0</a></p>
<label for="body">Input (POST %(prefix)s/score)</label><textarea id="body" rows="10">{}</textarea>
<label for="key">Key or token, if the service asks for one</label>
<input id="key" autocomplete="off" placeholder="not kept">
<button id="send">Score</button>
<p id="status" class="muted" role="status"></p><pre id="answer" aria-label="Answer"></pre>
<label>The same from a shell</label><pre id="curl"></pre>
<script>
const prefix = %(prefix_js)s, el = id => document.getElementById(id);
function curl() {
  const quoted = el("body").value.replace(/'/g, "'\\\\''");
  const key = el("key").value ? " -H 'Authorization: Bearer KEY'" : "";
  el("curl").textContent =
    `curl -X POST ${location.origin}${prefix}/score -H 'Content-Type: application/json'${key} -d '${quoted}'`;
}
function auth() { return el("key").value ? {"Authorization": "Bearer " + el("key").value} : {}; }
async function describe() {
  const answer = await fetch(prefix + "/swagger.json?version=3.1", {headers: auth()});
  if (!answer.ok) return;
  const doc = await answer.json();
  el("title").textContent = document.title = doc.info.title;
  el("description").textContent = doc.info.description;
  const input = doc.components.schemas.ServiceInput;
  if (el("body").value === "{}" && input.example) el("body").value = JSON.stringify(input.example, null, 2);
  curl();
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
describe(); curl();
</script></body></html>
"""


def page(path_prefix: str) -> bytes:
    """Return the page.

    Args:
        path_prefix: prefix of the service's routes, without slashes at its ends.
    """
    prefix = f"/{path_prefix}" if path_prefix else ""
    quoted = "".join(char if char.isalnum() or char in "/-._~" else f"\\u{ord(char):04x}" for char in prefix)
    text = _PAGE.replace("%(prefix)s", html.escape(prefix)).replace("%(prefix_js)s", f'"{quoted}"')
    return text.encode("utf-8")
