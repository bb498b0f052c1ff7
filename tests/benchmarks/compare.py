"""Timbre beside PyTorch, Keras and librosa: same machine, same run, interleaved, equal thread counts.

Each program is a worker that stays alive; the rounds go through all of them in turn, so that what else the machine
does hits all alike. Printed: medians over rounds, ratios to Timbre, and the floor (the step's matrix products alone
by oneDNN's sgemm; the FFTs alone). TF32 does not exist on a CPU; all sides compute in float32.

    python compare.py --worker build/bin/bench_worker --torch PYTHON --keras PYTHON [--clips FOLDER] [--rounds 7]
"""
import argparse
import glob
import os
import statistics
import subprocess
import sys
import tempfile

STEP = """
import sys, time, statistics, numpy as np
threads = int(sys.argv[1])
"""

TORCH = STEP + """
import torch
from torch import nn
torch.set_num_threads(threads)
torch.manual_seed(0)
class Lstm(nn.Module):
    def __init__(s):
        super().__init__()
        s.l = nn.LSTM(13, 128, 2, batch_first=True)
        s.d = nn.Sequential(nn.Dropout(.2), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(.3), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(.3), nn.Linear(32, 10))
    def forward(s, x): return s.d(s.l(x)[0][:, -1])
def mlp(): return nn.Sequential(nn.Flatten(), nn.Linear(1690, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))
class Cnn(nn.Module):
    def __init__(s):
        super().__init__()
        b = lambda i, k: [nn.Conv2d(i, 32, k), nn.ReLU()]
        s.f = nn.Sequential(*b(1, 3), nn.MaxPool2d(3, 2, 1), nn.BatchNorm2d(32), *b(32, 3), nn.MaxPool2d(3, 2, 1), nn.BatchNorm2d(32),
                            *b(32, 2), nn.MaxPool2d(2, 2, ceil_mode=True), nn.BatchNorm2d(32), nn.Flatten(), nn.LazyLinear(64), nn.ReLU(), nn.Dropout(.3), nn.Linear(64, 10))
    def forward(s, x): return s.f(x.unsqueeze(1))
def worker(name, batch, count):
    model = {"lstm": Lstm, "mlp": mlp, "cnn": Cnn}[name]()
    x = torch.randn(batch, 130, 13); y = torch.arange(batch) % 10
    model(x)
    opt = torch.optim.Adam(model.parameters(), 1e-3); loss = nn.CrossEntropyLoss()
    def step():
        opt.zero_grad(); loss(model(x), y).backward(); opt.step()
    for _ in range(3): step()
    t = []
    for _ in range(count):
        s = time.perf_counter(); step(); t.append((time.perf_counter() - s) * 1e3)
    return statistics.median(t)
"""

KERAS = STEP + """
import os
os.environ["KERAS_BACKEND"] = "tensorflow"; os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(threads); tf.config.threading.set_inter_op_parallelism_threads(1)
import keras
from keras import layers as L
made = {}
def worker(name, batch, count):
    relu = dict(activation="relu")
    if (name, batch) not in made:
        body = {"mlp": lambda: [L.Input((130, 13)), L.Flatten(), L.Dense(512, **relu), L.Dense(256, **relu), L.Dense(64, **relu), L.Dense(10, "softmax")],
                "lstm": lambda: [L.Input((130, 13)), L.LSTM(128, return_sequences=True), L.LSTM(128), L.Dropout(.2), L.Dense(64, **relu), L.Dropout(.3), L.Dense(32, **relu), L.Dropout(.3), L.Dense(10, "softmax")],
                "cnn": lambda: [L.Input((130, 13, 1)), L.Conv2D(32, 3, **relu), L.MaxPooling2D(3, 2, "same"), L.BatchNormalization(), L.Conv2D(32, 3, **relu), L.MaxPooling2D(3, 2, "same"), L.BatchNormalization(),
                                L.Conv2D(32, 2, **relu), L.MaxPooling2D(2, 2, "same"), L.BatchNormalization(), L.Flatten(), L.Dense(64, **relu), L.Dropout(.3), L.Dense(10, "softmax")]}[name]()
        model = keras.Sequential(body)
        model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
        x = tf.random.normal((batch,) + model.input_shape[1:]); y = tf.range(batch) % 10
        model.make_train_function()
        step = model.train_function
        made[name, batch] = (step, x, y)
        for _ in range(3): step(iter([(x, y)]))
    step, x, y = made[name, batch]
    t = []
    for _ in range(count):
        s = time.perf_counter(); step(iter([(x, y)])); t.append((time.perf_counter() - s) * 1e3)
    return statistics.median(t)
def mfcc(listing):
    import librosa, soundfile
    s = time.perf_counter()
    for f in open(listing).read().split("\\n"):
        if not f: continue
        y, _ = soundfile.read(f, dtype="float32")
        for i in range(len(y) // 66150):
            librosa.feature.mfcc(y=y[i * 66150:(i + 1) * 66150], sr=22050, n_mfcc=13, n_fft=2048, hop_length=512)
    return (time.perf_counter() - s) * 1e3
"""

LOOP = """
for line in sys.stdin:
    job, what, *rest = line.split()
    print("%.4f" % (mfcc(what) if job == "mfcc" else worker(what, int(rest[0]), int(rest[1]))), flush=True)
"""


class Worker:
    def __init__(self, command, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE")
        for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
            env.pop(name, None)
        self.p = subprocess.Popen(command + [str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None, text=True, env=env)

    def ask(self, job):
        self.p.stdin.write(job + "\n")
        self.p.stdin.flush()
        answer = self.p.stdout.readline()
        if not answer:
            sys.exit(f"a worker ended at '{job}'")
        return float(answer)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--worker", required=True)
    a.add_argument("--torch")
    a.add_argument("--keras")
    a.add_argument("--clips", help="folder of <genre>/<clip>.wav at 22,050 Hz")
    a.add_argument("--rounds", type=int, default=7)
    a.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    a = a.parse_args()
    folder = tempfile.mkdtemp()
    scripts = {"torch": (a.torch, TORCH), "keras": (a.keras, KERAS)}
    print("| threads | job | Timbre ms | PyTorch ms | x | Keras ms | x | floor ms | Timbre / floor |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for threads in a.threads:
        workers = {"timbre": Worker([a.worker], threads)}
        for name, (python, text) in scripts.items():
            if python:
                path = os.path.join(folder, "worker_" + name + ".py")  # not the name of a library
                open(path, "w").write(text + LOOP)
                workers[name] = Worker([python, path], threads)
        floor = Worker([a.worker], threads)

        def row(label, jobs, floor_job, floor_scale=1.0):
            times = {n: [] for n in jobs}
            floors = []
            for _ in range(a.rounds):
                for n, job in jobs.items():
                    times[n].append(workers[n].ask(job))
                floors.append(floor.ask(floor_job))
            m = {n: statistics.median(t) for n, t in times.items()}
            f = statistics.median(floors) * floor_scale
            cell = lambda n: f"{m[n]:.2f} | {m[n] / m['timbre']:.2f}" if n in m else "- | -"
            print(f"| {threads} | {label} | {m['timbre']:.2f} | {cell('torch')} | {cell('keras')} | {f:.2f} | {m['timbre'] / f:.2f} |", flush=True)

        for model, count in (("mlp", 40), ("cnn", 15), ("lstm", 7)):
            for batch in (20, 256):
                job = f"step {model} {batch} {max(3, count if batch == 20 else count // 4)}"
                row(f"{model} step, batch {batch}", {n: job for n in workers}, f"sgemm {model} {batch} 5", 1.0 / threads)
        if a.clips:
            listing = os.path.join(folder, "clips.txt")
            open(listing, "w").write("\n".join(sorted(glob.glob(os.path.join(a.clips, "*", "*.wav")))))
            job = f"mfcc {listing}"
            jobs = {"timbre": job}
            if "keras" in workers:
                jobs["keras"] = job
            row("MFCCs of all clips, decoding included (Keras column: librosa)", jobs, f"fft {listing}")
        for w in list(workers.values()) + [floor]:
            w.p.kill()


main()
