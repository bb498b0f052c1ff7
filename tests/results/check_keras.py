"""check_keras.py RESULT FEATURES [both|keras|tf_keras]

Loads a result file with Keras 3 and with Keras 2 (tf_keras), predicts the rows of /split/test (and
/split/validation) of the feature file, standardised as in training, and compares with the probabilities stored in
the result. Row i of /test is row /split/test[i] of /features. Prints the largest difference; exit status 1 if it
exceeds 1e-5 or the file does not load."""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import h5py
import numpy as np


def parts(result, features):
    with h5py.File(result, "r") as r, h5py.File(features, "r") as f:
        for part in ("validation", "test"):
            if part not in r:
                continue
            x = f["features"][:][r["split"][part][:]]
            if "features/mean" in r:
                x = (x - r["features/mean"][:]) / r["features/std"][:]
            label = f["label"][:][r["split"][part][:]] if "label" in f else r[part]["label"][:]
            assert np.array_equal(label, r[part]["label"][:]), f"labels of {part} are not those of the features"
            yield part, x, r[part]["probabilities"][:]


def main():
    result, features = sys.argv[1], sys.argv[2]
    which = sys.argv[3] if len(sys.argv) > 3 else "both"
    if len(sys.argv) > 4 or which not in ("both", "keras", "tf_keras"):
        sys.exit("usage: check_keras.py RESULT FEATURES [both|keras|tf_keras]")
    worst = 0.0
    for name in ("keras", "tf_keras"):
        if which not in ("both", name):
            continue
        library = __import__(name)
        model = library.models.load_model(result, compile=False)
        for part, x, stored in parts(result, features):
            x = x.reshape((len(x),) + tuple(model.input_shape[1:]))
            difference = float(np.abs(model.predict(x, verbose=0) - stored).max())
            print(f"{name} {library.__version__}: {part}: {len(x)} rows, largest difference {difference:.3g}")
            worst = max(worst, difference if np.isfinite(difference) else np.inf)
    print(f"largest difference {worst:.3g}")
    return 0 if worst <= 1e-5 else 1


sys.exit(main())
