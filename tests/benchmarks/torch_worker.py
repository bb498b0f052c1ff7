"""PyTorch's side of compare.py: reads a job a line from stdin, answers each with a line of JSON.

    step MODEL BATCH COUNT    a training step (forward, loss, backward, Adam) as PyTorch users write it, over a block of COUNT
    graph MODEL BATCH COUNT   the same as one CUDA graph (torch.cuda.graph over the whole step, the optimizer in it)
    features mfcc SEGMENTS    torchaudio's MFCCs with librosa's parameters of segments that lie in the host's memory, and back
    resident mfcc SEGMENTS    the same where they lie on the device and stay there

As fast as PyTorch has it: the data lie on the device, a step gathers its rows by index, gradients are set to None, Adam is
fused (in the graph also capturable), cuDNN tries its algorithms. TF32 is off, for products and for convolutions.

    torch_worker.py THREADS DEVICE
"""
import json
import sys
import time

import torch
from torch import nn

ROWS, SEGMENT = 2000, 66150
threads, device = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(threads)
torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layers = kind(13, 128, 2, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(.2), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(.3), nn.Linear(64, 32), nn.ReLU(),
                                  nn.Dropout(.3), nn.Linear(32, 10))

    def forward(self, x):
        return self.head(self.layers(x)[0][:, -1])


def lstm():
    return Recurrent(nn.LSTM)


def gru():
    return Recurrent(nn.GRU)


class Crnn(nn.Module):
    def __init__(self):
        super().__init__()

        def block(before, channels, pool):
            return [nn.Conv2d(before, channels, 3, padding=1), nn.ELU(), nn.BatchNorm2d(channels), nn.MaxPool2d(pool), nn.Dropout(.1)]
        self.pictures = nn.Sequential(nn.Unflatten(1, (1, 130)), *block(1, 16, 2), *block(16, 32, (2, 4)), *block(32, 32, (2, 4)))
        self.gru = nn.GRU(64, 32, 2, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(.3), nn.Linear(32, 10))

    def forward(self, x):
        return self.head(self.gru(self.pictures(x).permute(0, 2, 3, 1).flatten(2))[0][:, -1])


class Conv1d(nn.Module):
    def __init__(self):
        super().__init__()

        def conv(channels):
            return [nn.Conv1d(channels, 64, 5, padding=2), nn.ReLU()]
        self.layers = nn.Sequential(*conv(13), nn.MaxPool1d(2), *conv(64), nn.MaxPool1d(2), *conv(64))
        self.head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x):
        return self.head(self.layers(x.transpose(1, 2)).mean(2))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(1690, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(),
                         nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))


def cnn():
    def block(channels, kernel, pool):
        return [nn.Conv2d(channels, 32, kernel), nn.ReLU(), pool, nn.BatchNorm2d(32)]
    return nn.Sequential(nn.Unflatten(1, (1, 130)), *block(1, 3, nn.MaxPool2d(3, 2, 1)), *block(32, 3, nn.MaxPool2d(3, 2, 1)),
                         *block(32, 2, nn.MaxPool2d(2, 2, ceil_mode=True)), nn.Flatten(), nn.LazyLinear(64), nn.ReLU(),
                         nn.Dropout(.3), nn.Linear(64, 10))


def synchronize():
    if device == "cuda":
        torch.cuda.synchronize()


class Step:
    """One network with its data; run(count) does a block of steps."""
    order_length = 512

    def __init__(self, name, batch, graphed):
        generator = torch.Generator().manual_seed(1)
        self.x = torch.randn(ROWS, 130, 64 if name == "crnn" else 13, generator=generator).to(device)
        self.y = (torch.arange(ROWS) % 10).to(device)
        self.order = torch.randint(0, ROWS, (self.order_length, batch), generator=generator).to(device)
        self.model = {"lstm": lstm, "gru": gru, "mlp": mlp, "cnn": cnn, "crnn": Crnn, "conv1d": Conv1d}[name]().to(device)
        with torch.no_grad():
            self.model(self.x[:2])  # makes the lazy layer
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3, fused=True, capturable=graphed)
        self.graph, self.done = None, 0
        if graphed:
            self.capture()
        else:
            for _ in range(3):
                self.step(self.order[0])
        synchronize()

    def step(self, rows):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.model(self.x[rows]), self.y[rows]).backward()
        self.optimizer.step()

    def capture(self):
        self.rows = self.order[0].clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries set themselves up
            for _ in range(3):
                self.step(self.rows)
        torch.cuda.current_stream().wait_stream(stream)
        self.optimizer.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.step(self.rows)

    def run(self, count):
        for _ in range(count):
            rows = self.order[self.done % self.order_length]
            self.done += 1
            if self.graph:
                self.rows.copy_(rows)
                self.graph.replay()
            else:
                self.step(rows)
        synchronize()


class Features:
    """MFCCs of segments, as many at a time as serve torchaudio well; run() does all."""
    at_once = 250

    def __init__(self, count, resident):
        import torchaudio
        self.segments = torch.rand(count, 1, SEGMENT) - .5  # (a channel each: the floor in decibels is the segment's own)
        self.mfcc = torchaudio.transforms.MFCC(22050, 13, melkwargs=dict(
            n_fft=2048, hop_length=512, n_mels=128, norm="slaney", mel_scale="slaney", pad_mode="constant")).to(device)
        self.resident = resident
        if resident:
            self.segments = self.segments.to(device)
        elif device == "cuda":
            self.staged = torch.empty(min(count, self.at_once), 1, SEGMENT, pin_memory=True)
        self.run()

    @torch.no_grad()
    def run(self):
        for part in self.segments.split(self.at_once):
            if self.resident:
                self.mfcc(part)
                continue
            if device == "cuda":
                staged = self.staged[:len(part)]
                part = staged.copy_(part).to(device, non_blocking=True)
            self.mfcc(part).cpu()  # (waits, so that the staging memory is free again)
        synchronize()


made = {}


def answer(job, what, size, count=1):
    is_step = job in ("step", "graph")
    if (job, what, size) not in made:
        made[job, what, size] = Step(what, size, job == "graph") if is_step else Features(size, job == "resident")
    work = made[job, what, size]
    if is_step:
        work.run(count // 10)  # brings clocks and caches back
    start = time.perf_counter()
    work.run(count) if is_step else work.run()
    return (time.perf_counter() - start) * 1e3 / (count if is_step else 1)


for line in sys.stdin:
    job, what, *numbers = line.split()
    try:
        reply = {"ms": answer(job, what, *map(int, numbers[:2]))}
    except Exception as e:  # of any kind: the other jobs go on
        reply = {"error": f"{type(e).__name__}: {e}".splitlines()[0]}
    print(json.dumps(reply), flush=True)
