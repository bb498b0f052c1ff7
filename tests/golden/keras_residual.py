"""Golden values of networks with residual blocks, from Keras in float64 (TensorFlow back end).

    KERAS_BACKEND=tensorflow python keras_residual.py

writes keras_residual.h5 beside itself, one group for each network:
    model                      text, as in a configuration; four classes
    x, y, dy                   [N, ...]: input, logits in training, and the gradient given to them
    block                      what the (last) block gives
    parameters/<layer>/<name>  before the step
    gradients/<layer>/<name>   of the trainable ones
    after/<layer>/<name>       moving statistics after the step
The blocks are built by hand here, by the paper (He et al. 2016, option B) and by Keras's Add. Inputs, parameters and output
gradients are float32 numbers, so that both sides start from the same; results are stored rounded to float32.
"""
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")
L = keras.layers
FOLDER = pathlib.Path(__file__).parent
CLASSES = 4


def chain(x, *layers):
    for layer in layers:
        x = layer(x)
    return x


def conv(filters, size, name, strides=1, **options):
    return L.Conv2D(filters, size, strides=strides, padding="same", name=name, **options)


def batch(name):
    return L.BatchNormalization(name=name)


def case(file, name, text, shape, seed, build, picture=None):
    """build(x) -> the block's output, and what the last dense layer takes; picture: the shape that Keras sees."""
    random = np.random.default_rng(seed)
    group = file.create_group(name)
    group["model"] = text
    x = random.standard_normal(shape).astype(np.float32)
    seen = x.reshape(len(x), *picture) if picture else x
    given = keras.Input(seen.shape[1:])
    block, last = build(given)
    logits = L.Dense(CLASSES, name=text_name(text))(last)
    model = keras.Model(given, [logits, block])
    for layer in model.layers:
        for w in layer.weights:
            scale = 1 / np.sqrt(np.prod(w.shape[:-1])) if len(w.shape) > 1 else 1
            value = (random.standard_normal(w.shape) * scale).astype(np.float32)
            w.assign(value)
            group[f"parameters/{layer.name}/{w.name}"] = value
    xt = tf.constant(seen, tf.float64)
    dy = random.standard_normal((len(x), CLASSES)).astype(np.float32)
    trained = [(layer.name, w) for layer in model.layers for w in layer.trainable_weights]
    with tf.GradientTape() as tape:
        y, after_block = model(xt, training=True)
        total = tf.reduce_sum(y * tf.constant(dy, tf.float64))
    gradients = tape.gradient(total, [w.value for _, w in trained])
    assert y.dtype == tf.float64
    for key, value in [("x", x), ("y", y), ("dy", dy), ("block", after_block)]:
        group[key] = np.asarray(value, np.float32)
    for (layer, w), gradient in zip(trained, gradients):
        group[f"gradients/{layer}/{w.name}"] = np.asarray(gradient, np.float32)
    for layer in model.layers:
        for w in layer.non_trainable_weights:
            if w.name.startswith("moving"):
                group[f"after/{layer.name}/{w.name}"] = np.asarray(w.value, np.float32)


def text_name(text):
    """The name of the last dense layer: there are others before it where the text has them."""
    others = text.count("dense: ") + AUTOMATIC.get(text, 0) - 1
    return "dense" if others == 0 else f"dense_{others}"


AUTOMATIC = {}  # dense layers that a projection adds
END = ", flatten, dense: {units: classes, activation: softmax}]"


def identity(x):
    x = conv(4, 3, "conv2d")(x)
    body = chain(x, conv(4, 3, "conv2d_1"), batch("batch_normalization"), L.ReLU(), conv(4, 3, "conv2d_2"),
                 batch("batch_normalization_1"))
    y = L.ReLU()(L.Add()([body, x]))
    return y, L.Flatten()(y)


def projection(x):
    x = conv(3, 3, "conv2d", activation="tanh")(x)
    body = chain(x, conv(5, 3, "conv2d_1", 2), batch("batch_normalization"), L.ReLU(), conv(5, 3, "conv2d_2"),
                 batch("batch_normalization_1"))
    shortcut = chain(x, conv(5, 1, "conv2d_3", 2, use_bias=False), batch("batch_normalization_2"))
    y = L.ReLU()(L.Add()([body, shortcut]))
    return y, L.Flatten()(y)


def at_the_beginning(x):
    body = chain(x, conv(3, (3, 2), "conv2d", (3, 2)), batch("batch_normalization"))
    shortcut = chain(x, conv(3, 1, "conv2d_1", (3, 2), use_bias=False), batch("batch_normalization_1"))
    y = L.ReLU()(L.Add()([body, shortcut]))
    return y, L.GlobalAveragePooling2D()(y)


def two_blocks(x):
    x = conv(4, 3, "conv2d")(x)
    body = chain(x, conv(4, 3, "conv2d_1"), batch("batch_normalization"))
    x = L.ReLU()(L.Add()([body, x]))
    body = chain(x, conv(6, 3, "conv2d_2", 2), batch("batch_normalization_1"))
    shortcut = chain(x, conv(6, 3, "conv2d_3", 2), batch("batch_normalization_2"))
    y = L.Add()([body, shortcut])
    return y, L.GlobalMaxPooling2D()(y)


def sequences(x):
    x = L.Dense(5, name="dense")(x)
    body = chain(x, L.Conv1D(7, 3, strides=2, padding="same", activation="relu", name="conv1d"),
                 L.Conv1D(7, 3, padding="same", name="conv1d_1"))
    y = L.ReLU()(L.Add()([body, L.Conv1D(7, 1, strides=2, padding="same", name="conv1d_2")(x)]))
    return y, L.Flatten()(y)


def recurrent(x):
    x = L.Dense(6, name="dense")(x)
    body = chain(x, L.LayerNormalization(name="layer_normalization"), L.GRU(6, return_sequences=True, name="gru"))
    y = L.Add()([body, x])
    return y, L.GlobalAveragePooling1D()(y)


def vectors(x):
    x = L.Dense(9, name="dense")(x)
    body = chain(x, L.Dense(8, activation="relu", name="dense_1"), L.Dense(6, name="dense_2"))
    y = L.Activation("tanh")(L.Add()([body, L.Dense(6, name="dense_3")(x)]))
    return y, y


def longer_shortcut(x):
    x = L.Dense(7, name="dense")(x)
    shortcut = chain(x, L.Dense(5, activation="relu", name="dense_1"), L.LayerNormalization(name="layer_normalization"),
                     L.Dense(7, name="dense_3"))
    y = L.ReLU()(L.Add()([L.Dense(7, activation="tanh", name="dense_2")(x), shortcut]))
    return y, y


VECTORS = ("[dense: 9, residual: {layers: [dense: {units: 8, activation: relu}, dense: 6], activation: tanh}, "
           "dense: {units: classes, activation: softmax}]")
AUTOMATIC[VECTORS] = 1
with h5py.File(FOLDER / "keras_residual.h5", "w", libver=("v108", "v108")) as f:
    case(f, "identity", "[conv2d: {filters: 4, kernel_size: 3, padding: same}, residual: {layers: [conv2d: {filters: 4, "
         "kernel_size: 3, padding: same}, batch_normalization, activation: relu, conv2d: {filters: 4, kernel_size: 3, padding: "
         "same}, batch_normalization]}" + END, (5, 7, 5), 1, identity, picture=(7, 5, 1))
    case(f, "projection", "[conv2d: {filters: 3, kernel_size: 3, padding: same, activation: tanh}, residual: [conv2d: "
         "{filters: 5, kernel_size: 3, strides: 2, padding: same}, batch_normalization, activation: relu, conv2d: {filters: 5, "
         "kernel_size: 3, padding: same}, batch_normalization]" + END, (4, 9, 7), 2, projection, picture=(9, 7, 1))
    case(f, "at_the_beginning", "[residual: {layers: [conv2d: {filters: 3, kernel_size: [3, 2], strides: [3, 2], padding: "
         "same}, batch_normalization]}, global_average_pooling2d, dense: {units: classes, activation: softmax}]", (6, 11, 8), 3,
         at_the_beginning, picture=(11, 8, 1))
    case(f, "two_blocks", "[conv2d: {filters: 4, kernel_size: 3, padding: same}, residual: {layers: [conv2d: {filters: 4, "
         "kernel_size: 3, padding: same}, batch_normalization], shortcut: []}, residual: {layers: [conv2d: {filters: 6, "
         "kernel_size: 3, strides: 2, padding: same}, batch_normalization], shortcut: [conv2d: {filters: 6, kernel_size: 3, "
         "strides: 2, padding: same}, batch_normalization], activation: linear}, global_max_pooling2d, dense: {units: classes, "
         "activation: softmax}]", (5, 6, 9), 4, two_blocks, picture=(6, 9, 1))
    case(f, "sequences", "[dense: 5, residual: {layers: [conv1d: {filters: 7, kernel_size: 3, strides: 2, padding: same, "
         "activation: relu}, conv1d: {filters: 7, kernel_size: 3, padding: same}]}" + END, (4, 11, 6), 5, sequences)
    case(f, "recurrent", "[dense: 6, residual: {layers: [layer_normalization, gru: {units: 6, return_sequences: true}], "
         "activation: linear}, global_average_pooling1d, dense: {units: classes, activation: softmax}]", (4, 9, 5), 6,
         recurrent)
    case(f, "vectors", VECTORS, (7, 10), 7, vectors)
    case(f, "longer_shortcut", "[dense: 7, residual: {layers: [dense: {units: 7, activation: tanh}], shortcut: [dense: {units: "
         "5, activation: relu}, layer_normalization, dense: 7]}, dense: {units: classes, activation: softmax}]", (6, 8), 8,
         longer_shortcut)
