"""Golden values for training: optimizers element by element, and twenty steps of the three networks.

Keras (TensorFlow back end) in float64. Weights and data come from an integer hash that the tests compute as
well, so only results are stored: losses of each step and a sample of each final tensor.

    python keras_training.py            # writes keras_training.h5 and keras_training_recurrent.h5 beside this file
"""
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import numpy as np
import keras
import tensorflow as tf

keras.backend.set_floatx("float64")
L = keras.layers
CLASSES, BATCH, STEPS, SAMPLE = 10, 20, 20, 400


def hashed(count, salt):
    """Uniform in [-1, 1), as tests/training/hashed.hpp."""
    mask = np.uint64(0xFFFFFFFF)
    h = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(salt) * np.uint64(2246822519)) & mask
    h ^= h >> np.uint64(15)
    h = (h * np.uint64(2246822519)) & mask
    h ^= h >> np.uint64(13)
    h = (h * np.uint64(3266489917)) & mask
    h ^= h >> np.uint64(16)
    return (h.astype(np.float64) / 2.0**31 - 1.0).astype(np.float32).astype(np.float64)


def value(shape, name, salt):
    u = hashed(int(np.prod(shape)), salt).reshape(shape)
    if name in ("kernel", "recurrent_kernel"):
        window = np.prod(shape[:-2])
        scale = np.float64(np.float32(np.sqrt(6.0 / (window * (shape[-2] + shape[-1])))))
        return (u.astype(np.float32) * np.float32(scale)).astype(np.float64)
    if name == "gamma":
        return (np.float32(1) + u.astype(np.float32) * np.float32(0.1)).astype(np.float64)
    if name == "moving_mean":
        return np.zeros(shape)
    if name == "moving_variance":
        return np.ones(shape)
    return (u.astype(np.float32) * np.float32(0.05)).astype(np.float64)


def mlp():
    return [L.Flatten(), L.Dense(512, "relu"), L.Dense(256, "relu"), L.Dense(64, "relu"), L.Dense(CLASSES)]


def cnn():
    r = keras.regularizers.L1L2(l1=1e-5, l2=1e-3)
    conv = lambda k: L.Conv2D(32, k, activation="relu", kernel_regularizer=r)
    return [conv(3), L.MaxPooling2D(3, 2, "same"), L.BatchNormalization(),
            conv(3), L.MaxPooling2D(3, 2, "same"), L.BatchNormalization(),
            conv(2), L.MaxPooling2D(2, 2, "same"), L.BatchNormalization(),
            L.Flatten(), L.Dense(64, "relu", kernel_regularizer=r), L.Dense(CLASSES, kernel_regularizer=r)]


def lstm():
    return [L.LSTM(128, return_sequences=True), L.LSTM(128), L.Dense(64, "relu"), L.Dense(32, "relu"), L.Dense(CLASSES)]


def gru():
    return [L.GRU(64, return_sequences=True), L.GRU(64), L.Dense(32, "relu"), L.Dense(CLASSES)]


def crnn():
    """Smooth throughout (see the CNN below), so that twenty steps of Adam can be followed."""
    return [L.Conv2D(8, 3, padding="same", activation="elu"), L.BatchNormalization(momentum=0.9), L.AveragePooling2D(2),
            L.Reshape((-1, 48)), L.GRU(16, return_sequences=True), L.LayerNormalization(),
            L.Bidirectional(L.LSTM(8, return_sequences=True)), L.GlobalAveragePooling1D(), L.Dense(CLASSES)]


def residual(x):
    """Two blocks, smooth throughout, the first with a projection; its layers in the order in which a model has them."""
    c, s = {"padding": "same"}, {"padding": "same", "strides": 2}
    first, add, tanh = L.Conv2D(6, 3, activation="tanh", **c), L.Add(), L.Activation("tanh")
    body = [L.Conv2D(8, 3, use_bias=False, **s), L.BatchNormalization(momentum=0.9), L.Activation("tanh"),
            L.Conv2D(8, 3, use_bias=False, **c), L.BatchNormalization(momentum=0.9)]
    shortcut = [L.Conv2D(8, 1, use_bias=False, **s), L.BatchNormalization()]
    second, sum_, mean, last = [L.Conv2D(8, 3, activation="elu", **c), L.Conv2D(8, 3, **c)], L.Add(), L.GlobalAveragePooling2D(), L.Dense(CLASSES)
    start = first(x)
    one, other = start, start
    for layer in body:
        one = layer(one)
    for layer in shortcut:
        other = layer(other)
    block = tanh(add([one, other]))
    y = last(mean(sum_([second[1](second[0](block)), block])))
    return y, [first, *body[:4], shortcut[0], body[4], shortcut[1], add, tanh, *second, sum_, mean, last]


def run(f, name, layers, shape, optimizer, smoothing):
    """layers: a list, or a function that gives the output, and the list, for an input"""
    if callable(layers):
        given = L.Input(shape)
        output, layers = layers(given)
        model = keras.Model(given, output)
    else:
        model = keras.Sequential([L.Input(shape)] + layers)
    for i, layer in enumerate(layers):
        layer.set_weights([value(w.shape, w.name, 1000 * i + k) for k, w in enumerate(layer.weights)])
    loss_of = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    size = int(np.prod(shape))
    x = (hashed(STEPS * BATCH * size, 77) * 1.5).astype(np.float32).astype(np.float64).reshape(STEPS, BATCH, *shape)
    y = (np.arange(STEPS * BATCH) * 7 % CLASSES).reshape(STEPS, BATCH)

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            loss = loss_of(tf.one_hot(yb, CLASSES, dtype="float64"), model(xb, training=True))
            total = loss + (tf.add_n(model.losses) if model.losses else 0.0)
        grads = tape.gradient(total, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return total

    losses = [float(step(x[s], y[s])) for s in range(STEPS)]
    g = f.create_group(name)
    g["losses"] = np.array(losses)
    k = 0
    for layer in layers:
        for w in layer.weights:
            flat = np.array(w).ravel()
            stride = max(1, flat.size // SAMPLE)
            g[f"w{k}"] = flat[::stride]
            g[f"w{k}"].attrs["stride"] = stride
            k += 1
    print(name, losses[0], losses[-1])


def optimizers(f):
    makers = {
        "adam": keras.optimizers.Adam(1e-3),
        "adam_b": keras.optimizers.Adam(0.02, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
        "sgd": keras.optimizers.SGD(0.05),
        "sgd_momentum": keras.optimizers.SGD(0.05, momentum=0.9),
        "sgd_nesterov": keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "rmsprop": keras.optimizers.RMSprop(1e-3),
        "rmsprop_momentum": keras.optimizers.RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-4),
    }
    for name, o in makers.items():
        n, steps = 40, 6
        p = tf.Variable(hashed(n, 1))
        trace = []
        for s in range(steps):
            g = hashed(n, 100 + s) * 10.0 ** (-(np.arange(n) % 5).astype(np.float64))
            g = g.astype(np.float32).astype(np.float64)
            o.apply_gradients([(tf.constant(g), p)])
            trace.append(p.numpy())
        f[f"optimizers/{name}"] = np.array(trace)


with h5py.File(os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_training.h5"), "w") as f:
    optimizers(f)
    run(f, "mlp", mlp(), (130, 13), keras.optimizers.Adam(1e-3), 0.1)
    # On noise the CNN is chaotic even with SGD (a rounding error that turns one maximum of a pooling window grows):
    # at a rate of 0.01 Keras in float32 leaves its own float64 by 6e-3 in loss within twenty steps, so the rate is
    # small and the test looks at the updates, not only at the weights.
    run(f, "cnn", cnn(), (130, 13, 1), keras.optimizers.SGD(3e-5), 0.0)
    run(f, "lstm", lstm(), (130, 13), keras.optimizers.Adam(1e-3), 0.0)
with h5py.File(os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_training_recurrent.h5"), "w") as f:
    run(f, "gru", gru(), (130, 13), keras.optimizers.Adam(1e-3), 0.0)
    run(f, "crnn", crnn(), (130, 13, 1), keras.optimizers.Adam(1e-3), 0.0)
with h5py.File(os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_training_residual.h5"), "w") as f:
    run(f, "residual", residual, (130, 13, 1), keras.optimizers.Adam(1e-3), 0.0)
