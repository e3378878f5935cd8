"""Make scale.onnx: x * 2 + 1 for any number of rows of two (pip install onnx)."""

import numpy
from onnx import TensorProto, helper, numpy_helper, save

rows = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2])
answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2])
constants = [
    numpy_helper.from_array(numpy.array([value], numpy.float32), name) for name, value in (("two", 2.0), ("one", 1.0))
]
nodes = [helper.make_node("Mul", ["x", "two"], ["doubled"]), helper.make_node("Add", ["doubled", "one"], ["y"])]
graph = helper.make_graph(nodes, "scale", [rows], [answer], constants)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "scale.onnx")
