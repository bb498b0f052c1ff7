"""Makes keras_models/: small models as Keras 3 and Keras 2 (tf_keras) save them, and models that Timbre refuses.

    python keras_models.py keras        # Keras 3.15 on TensorFlow 2.21: *_3.keras, *_3.h5
    python keras_models.py tf_keras     # tf_keras 2.21, which is Keras 2: *_2.h5, *_2.keras

    python keras_models.py lies         # with h5py alone, last: huge_*, whose weights claim 10^12 numbers in no bytes

For each model that is taken, keras_models/NAME.txt holds what it makes of `inputs()`: one row of probabilities a line.
"""
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import io
import shutil
import zipfile

import h5py
import numpy as np

which = sys.argv[1]
folder = pathlib.Path(__file__).parent / "keras_models"
if which == "lies":
    def lie(file, name):
        del file[name]
        file.create_dataset(name, shape=(10**6, 10**6), dtype="float32", chunks=(1000, 1000))

    shutil.copy(folder / "lstm_2.h5", folder / "huge_2.h5")
    with h5py.File(folder / "huge_2.h5", "a") as f:
        lie(f, "model_weights/dense_2/dense_2/kernel:0")
    with zipfile.ZipFile(folder / "lstm_3.keras") as z, zipfile.ZipFile(folder / "huge_3.keras", "w") as out:
        for name in ("metadata.json", "config.json"):
            out.writestr(zipfile.ZipInfo(name), z.read(name))
        image = io.BytesIO(z.read("model.weights.h5"))
        with h5py.File(image, "a") as f:
            lie(f, "layers/dense/vars/0")
        out.writestr(zipfile.ZipInfo("model.weights.h5"), image.getvalue())
    sys.exit()
keras = __import__(which)
L = keras.layers
version = "3" if which == "keras" else "2"
folder.mkdir(exist_ok=True)
T, F, CLASSES = 22, 13, 3


def inputs():
    """[2, T, F]: x[n, t, f] = ((7 n + 3 t + 5 f) mod 11 - 5) / 4, which C++ makes again without rounding."""
    n, t, f = np.meshgrid(np.arange(2), np.arange(T), np.arange(F), indexing="ij")
    return (((7 * n + 3 * t + 5 * f) % 11 - 5) / 4).astype(np.float32)


def end():
    return [L.Dense(CLASSES, activation="softmax")]


def normalization(axis):
    mean = [0.25 * i for i in range(F)]
    return L.Normalization(axis=axis, mean=mean, variance=[1.0 + 0.5 * i for i in range(F)])


def picture():
    return [
        L.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="relu", kernel_regularizer=keras.regularizers.L2(1e-4)),
        L.MaxPooling2D((3, 3), strides=(2, 2), padding="same"),
        L.BatchNormalization(),
        L.Flatten(),
        L.Dropout(0.25),
    ]


def sequential(layers, shape=(T, F)):
    return keras.Sequential([keras.Input(shape), *layers])


def functional(layers):
    x = given = keras.Input((T, F), name="audio")
    for layer in layers:
        x = layer(x)
    return keras.Model(given, x)


def branching():
    given = keras.Input((T, F))
    a, b = L.Flatten()(given), L.LSTM(3, name="ears")(given)
    return keras.Model(given, L.Dense(CLASSES, activation="softmax")(L.Concatenate(name="both")([a, b])))


taken = {
    "mlp": lambda: sequential([normalization(-1), L.Flatten(), L.Dense(6, activation="elu"), *end()]),
    "lstm": lambda: sequential([L.LSTM(4, return_sequences=True, recurrent_dropout=0.1), L.LSTM(3, go_backwards=True), *end()]),
    "cnn": lambda: sequential([normalization(2), *picture(), *end()], (T, F, 1)),
    "functional": lambda: functional([L.LSTM(4), L.Dense(CLASSES), L.Activation("softmax")]),
    "reshaped": lambda: sequential([L.Reshape((T, F, 1)), *picture(), *end()]),
}
refused = {
    "nested": lambda: sequential([sequential([L.LSTM(4)]), *end()]),
    "gru": lambda: sequential([L.GRU(4), *end()]),
    "bidirectional": lambda: sequential([L.Bidirectional(L.LSTM(3)), *end()]),
    "hard_sigmoid": lambda: sequential([L.LSTM(4, recurrent_activation="hard_sigmoid"), *end()]),
    "branching": branching,
    "average": lambda: sequential([L.GlobalAveragePooling1D(), *end()]),
}

for names, models in ((True, taken), (False, refused)):
    for name, make in models.items():
        keras.utils.set_random_seed(len(name))
        model = make()
        # Biases and moving statistics that are not zero and one.
        random = np.random.default_rng(len(name))
        model.set_weights([w + (0.1 + 0.2 * random.random(w.shape)).astype(w.dtype) if w.dtype == np.float32 else w
                           for w in model.get_weights()])
        extensions = [".keras", ".h5"] if names or version == "3" and name != "branching" else [".h5"]
        for extension in extensions:
            file = folder / f"{name}_{version}{extension}"
            if not names and extension == ".h5" and version == "3":
                continue
            model.save(file)
        if not names:
            continue
        out = model.predict(inputs().reshape((2,) + tuple(model.input_shape[1:])), verbose=0)
        (folder / f"{name}_{version}.txt").write_text("".join(" ".join(f"{v:.9g}" for v in row) + "\n" for row in out))
