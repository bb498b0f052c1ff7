"""Keras's (and librosa's) side of compare.py on the CPU: reads a job a line from stdin, answers each with a line of JSON.

    step MODEL BATCH COUNT    a training step of Keras on TensorFlow, compiled as fit() compiles it, over a block of COUNT
    mfcc FILES                librosa's MFCCs of every 3-s segment of the files listed in FILES, decoding included
    stacked SEGMENTS          the features of configs/logistic.yaml, each by librosa's own call, of segments of 3 s in memory

    keras_worker.py THREADS
"""
import json
import os
import sys
import time

threads = int(sys.argv[1])
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
import keras  # noqa: E402
from keras import layers as L  # noqa: E402

SEGMENT = 66150
RELU = dict(activation="relu")


def mlp():
    return [L.Input((130, 13)), L.Flatten(), L.Dense(512, **RELU), L.Dense(256, **RELU), L.Dense(64, **RELU), L.Dense(10, "softmax")]


def lstm():
    return [L.Input((130, 13)), L.LSTM(128, return_sequences=True), L.LSTM(128), L.Dropout(.2), L.Dense(64, **RELU), L.Dropout(.3),
            L.Dense(32, **RELU), L.Dropout(.3), L.Dense(10, "softmax")]


def gru():
    return [L.Input((130, 13)), L.GRU(128, return_sequences=True), L.GRU(128), *lstm()[3:]]


def conv1d():
    def conv():
        return L.Conv1D(64, 5, padding="same", **RELU)
    return [L.Input((130, 13)), conv(), L.MaxPooling1D(), conv(), L.MaxPooling1D(), conv(), L.GlobalAveragePooling1D(),
            L.Dense(64, **RELU), L.Dense(10, "softmax")]


def crnn():
    def block(channels, pool):
        return [L.Conv2D(channels, 3, padding="same", activation="elu"), L.BatchNormalization(momentum=.9), L.MaxPooling2D(pool), L.Dropout(.1)]
    return [L.Input((130, 64, 1)), *block(16, 2), *block(32, (2, 4)), *block(32, (2, 4)), L.Reshape((-1, 64)),
            L.GRU(32, return_sequences=True), L.GRU(32), L.Dropout(.3), L.Dense(10, "softmax")]


def cnn():
    def block(kernel, pool):
        return [L.Conv2D(32, kernel, **RELU), L.MaxPooling2D(pool, 2, "same"), L.BatchNormalization()]
    return [L.Input((130, 13, 1)), *block(3, 3), *block(3, 3), *block(2, 2), L.Flatten(), L.Dense(64, **RELU), L.Dropout(.3),
            L.Dense(10, "softmax")]


made = {}


def step(name, batch, count):
    if (name, batch) not in made:
        model = keras.Sequential({"mlp": mlp, "lstm": lstm, "cnn": cnn, "gru": gru, "crnn": crnn, "conv1d": conv1d}[name]())
        model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
        data = tf.random.normal((batch,) + model.input_shape[1:]), tf.range(batch) % 10
        model.make_train_function()
        made[name, batch] = model.train_function, data
        for _ in range(3):
            model.train_function(iter([data]))
    function, data = made[name, batch]
    start = time.perf_counter()
    for _ in range(count):
        function(iter([data]))
    return (time.perf_counter() - start) * 1e3 / count


def mfcc(listing):
    import librosa
    import soundfile
    start = time.perf_counter()
    for file in filter(None, open(listing).read().split("\n")):
        y, _ = soundfile.read(file, dtype="float32")
        for i in range(len(y) // SEGMENT):
            librosa.feature.mfcc(y=y[i * SEGMENT:(i + 1) * SEGMENT], sr=22050, n_mfcc=13, n_fft=2048, hop_length=512)
    return (time.perf_counter() - start) * 1e3


def stacked(count):
    import librosa
    import numpy as np
    if "segments" not in made:
        made["segments"] = np.random.default_rng(1).uniform(-0.5, 0.5, (100, SEGMENT)).astype(np.float32)
    f = librosa.feature
    start = time.perf_counter()
    for i in range(count):
        y = made["segments"][i % 100]
        m = f.mfcc(y=y, sr=22050, n_mfcc=13)
        np.vstack([m, f.delta(m), f.chroma_stft(y=y), f.spectral_contrast(y=y), f.spectral_centroid(y=y),
                   f.spectral_bandwidth(y=y), f.spectral_rolloff(y=y), f.spectral_flatness(y=y), f.rms(y=y),
                   f.zero_crossing_rate(y), librosa.onset.onset_strength(y=y)[None]])
    return (time.perf_counter() - start) * 1e3


for line in sys.stdin:
    job, what, *numbers = line.split()
    try:
        if job == "stacked":
            reply = {"ms": stacked(int(what))}
        else:
            reply = {"ms": mfcc(what) if job == "mfcc" else step(what, *map(int, numbers[:2]))}
    except Exception as e:  # of any kind: the other jobs go on
        reply = {"error": f"{type(e).__name__}: {e}".splitlines()[0]}
    print(json.dumps(reply), flush=True)
