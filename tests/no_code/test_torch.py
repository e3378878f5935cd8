"""PyTorch without code: programs of torch.export and of TorchScript."""

from __future__ import annotations

import pytest

from sendoff import Model
from sendoff.sdk.exceptions import WebserviceException

from . import rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TORCH = rig.conda(rig.OURS, "torch==2.13.0", "numpy")

MAKE = """
import json, torch
torch.manual_seed(0)

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(3, 2)
    def forward(self, x):
        return torch.softmax(self.inner(x), dim=1)

class Words(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(10, 4)
    def forward(self, words):
        return self.table(words).sum(dim=1)

net, words = Net().eval(), Words().eval()
rows = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
torch.export.save(torch.export.export(net, (rows,), dynamic_shapes={"x": {0: torch.export.Dim("batch")}}), "net.pt2")
torch.jit.save(torch.jit.script(words), "words.pt")
torch.save(net.state_dict(), "weights.pth")
summed = words(torch.tensor([[1, 2]]))
print(json.dumps({"rows": rows.tolist(), "answer": net(rows).tolist(), "words": summed.tolist()}))
"""


def test_an_exported_program_answers_and_describes_itself(ws, work, deploy) -> None:
    facts = rig.train(TORCH, MAKE, cwd=work)
    model = Model.register(
        ws, "net.pt2", "net", model_framework=Model.Framework.PYTORCH, model_framework_version="2.13.0"
    )
    asked = deploy(model)
    wanted = [pytest.approx(row, rel=1e-5) for row in facts["answer"]]
    assert asked.post({"data": facts["rows"]}) == wanted
    assert asked.post({"inputs": {"x": facts["rows"]}}) == wanted
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": facts["rows"][0]}
    (output,) = asked.post({"inputs": [tensor]}, "/v2/models/net/infer")["outputs"]
    assert (output["shape"], output["data"]) == ([1, 2], wanted[0])
    refused = asked.post({"data": [[1.0]]})
    assert (refused["http"], refused["details"]["expected"]) == (400, [-1, 3])
    data = asked.get("/swagger.json")["definitions"]["ServiceInput"]["properties"]["data"]
    assert data["items"]["maxItems"] == 3
    rig.fuzzed(asked, work)

    # TorchScript, whose text says nothing of kinds: an embedding gets its whole numbers.
    script = Model.register(ws, "words.pt", "words", model_framework="pytorch", model_framework_version="2.13.0")
    words = deploy(script, name="words")
    assert words.post({"data": [[1, 2]]}) == [pytest.approx(facts["words"][0], rel=1e-5)]
    assert words.post({"data": [[99]]})["http"] == 400

    # Weights are no program.
    weights = Model.register(ws, "weights.pth", "weights", model_framework="pytorch", model_framework_version="2.13.0")
    with pytest.raises(WebserviceException, match=r"what torch\.save\(\) wrote") as caught:
        Model.deploy(ws, "weights", [weights])
    assert "torch.export.save" in str(caught.value)
