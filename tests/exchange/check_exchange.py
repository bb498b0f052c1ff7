"""check_exchange.py WHAT MODEL DATA TOLERANCE

WHAT: onnx-features, onnx-audio (onnx's checker, then onnxruntime on one thread), keras, tf_keras. Runs MODEL on /features or
/audio of the HDF5 file DATA, and compares with its /probabilities. Prints the largest difference; exit status 1 where it
exceeds TOLERANCE, or the model does not load."""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import h5py
import numpy as np


def with_onnx(path, x):
    import onnx
    import onnxruntime

    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    many = session.run(["probabilities"], {given.name: x})[0]
    one = session.run(["probabilities"], {given.name: x[:1]})[0]  # the number of segments is not fixed
    assert one.shape == (1, many.shape[1]), one.shape
    assert "labels" in session.get_modelmeta().custom_metadata_map
    return many


def with_keras(name, path, x):
    library = __import__(name)
    model = library.models.load_model(path, compile=False)
    return model.predict(x.reshape((len(x),) + tuple(model.input_shape[1:])), verbose=0)


def main():
    what, path, data, tolerance = sys.argv[1:]
    with h5py.File(data, "r") as f:
        x = f["audio" if what == "onnx-audio" else "features"][:]
        expected = f["probabilities"][:]
    got = with_onnx(path, x) if what.startswith("onnx") else with_keras(what, path, x)
    difference = float(np.abs(got - expected).max())
    print(f"{what} {os.path.basename(path)}: largest difference {difference:.3g}")
    return 0 if difference <= float(tolerance) else 1


sys.exit(main())
