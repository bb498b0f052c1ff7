"""Reference values of librosa 0.11 for the features, in float64 from float32 samples.

    python tests/golden/librosa_features.py [FOLDER WITH GTZAN CLIPS]

librosa_features.h5
    /signals/NAME      float32 [segments, samples]
    /cases/NN          attributes options (YAML), signal; frames int32 [n] (which ones are kept);
                       values float32 [segments, n, F]; attribute total: number of all frames
    /windows/NAME      float64 [25], scipy's periodic windows
librosa_gtzan.h5 (where the clips are given)
    /name              <genre>/<file> of ten clips;  /mfcc float32 [10, 130, 13]: samples [66150, 132300) of each
"""
import pathlib
import sys

import h5py
import librosa
import numpy as np
import scipy.signal
import soundfile
import yaml

HERE = pathlib.Path(__file__).parent
SR = 22050


def sixteen_bit(x):
    return (np.round(np.clip(x, -1, 1) * 32767) / 32768).astype(np.float32)


def signals():
    rng = np.random.default_rng(7)
    n = 16000
    t = np.arange(n) / SR
    chirp = 0.5 * np.sin(2 * np.pi * (200 * t + 6000 * t**2)) + 0.01 * rng.standard_normal(n)
    click = np.zeros(n)
    click[9000] = 0.9
    click[:4000] = 0.1 * np.sin(2 * np.pi * 3000 * t[:4000]) * np.linspace(1, 0, 4000)
    tone = 0.99 * np.sin(2 * np.pi * 440 * t)  # the hardest: one line far above everything else
    short = np.stack([sixteen_bit(chirp), sixteen_bit(click), np.zeros(n, np.float32), tone.astype(np.float32)])
    m = 66150
    t = np.arange(m) / SR
    song = sum(a * np.sin(2 * np.pi * f * t) for a, f in [(0.3, 220), (0.2, 331.1), (0.1, 1204.7), (0.02, 7003)])
    song *= np.exp(-3 * (t % 0.5))
    song += 0.02 * rng.standard_normal(m) * (t % 0.25 < 0.03)
    song[30000:38000] = 0
    return {"short": short, "song": sixteen_bit(song)[None]}


CASES = [
    ("song", {"kind": "mfcc"}),
    ("song", {"kind": "mfcc", "n_mfcc": 13}),
    ("song", {"kind": "log_mel"}),
    ("song", {"kind": "mel", "n_mels": 40}),
    ("song", {"kind": "spectrogram", "hop_length": 4096}),
    ("short", {"kind": "mfcc", "n_mfcc": 13}),
    ("short", {"kind": "log_mel", "n_mels": 64}),
    ("short", {"kind": "log_mel", "n_mels": 64, "top_db": 60}),
    ("short", {"kind": "log_mel", "n_mels": 32, "top_db": 20, "power": 1.0}),
    ("short", {"kind": "log_mel", "mel_scale": "htk", "n_mels": 64}),
    ("short", {"kind": "log_mel", "norm": "none", "mel_scale": "htk", "n_mels": 40}),
    ("short", {"kind": "mfcc", "norm": "none"}),
    ("short", {"kind": "mel", "n_mels": 64}),
    ("short", {"kind": "mel", "n_mels": 64, "mel_scale": "htk", "norm": "none", "power": 1.0}),
    ("short", {"kind": "mel", "n_mels": 30, "fmin": 300.0, "fmax": 7999.5}),
    ("short", {"kind": "mel", "n_mels": 128, "n_fft": 512, "hop_length": 700}),  # some filters are empty
    ("short", {"kind": "mel", "sample_rate": 16000, "n_fft": 400, "hop_length": 160, "n_mels": 40}),
    ("short", {"kind": "mfcc", "sample_rate": 16000, "n_fft": 400, "hop_length": 160, "n_mels": 40, "fmin": 20.0,
               "fmax": 7600.0, "window": "hamming", "center": False, "mel_scale": "htk", "n_mfcc": 40}),
    ("short", {"kind": "spectrogram", "n_fft": 256, "hop_length": 2000}),
    ("short", {"kind": "spectrogram", "n_fft": 256, "hop_length": 2000, "power": 1.0}),
    ("short", {"kind": "spectrogram", "n_fft": 256, "hop_length": 2000, "power": 1.5}),
    ("short", {"kind": "spectrogram", "n_fft": 256, "hop_length": 2000, "center": False}),
    ("short", {"kind": "spectrogram", "n_fft": 480, "hop_length": 100, "pad_mode": "reflect"}),
    ("short", {"kind": "spectrogram", "n_fft": 480, "hop_length": 100, "pad_mode": "edge"}),
    ("short", {"kind": "spectrogram", "n_fft": 255, "hop_length": 64, "window": "blackman"}),
    ("short", {"kind": "spectrogram", "n_fft": 257, "hop_length": 1000, "window": "bartlett"}),
    ("short", {"kind": "spectrogram", "n_fft": 512, "win_length": 301, "window": "hamming", "hop_length": 900}),
    ("short", {"kind": "spectrogram", "n_fft": 512, "win_length": 400, "window": "boxcar", "hop_length": 900}),
    ("short", {"kind": "mfcc", "n_fft": 1000, "hop_length": 333, "win_length": 800, "window": "blackmanharris",
               "pad_mode": "reflect", "n_mels": 48, "top_db": 40}),
    ("short", {"kind": "mel", "n_fft": 40000, "hop_length": 16000, "n_mels": 20}),  # a frame longer than the segment
]


def extract(y, o):
    o = dict(o)
    kind, sr = o.pop("kind"), o.pop("sample_rate", SR)
    stft = {k: o.pop(k) for k in ("n_fft", "hop_length", "win_length", "window", "center", "pad_mode") if k in o}
    stft.setdefault("n_fft", 2048)
    stft.setdefault("hop_length", 512)
    power = o.pop("power", 2.0)
    if kind == "spectrogram":
        assert not o
        return np.abs(librosa.stft(y, **stft)) ** power
    n_mfcc, top_db = o.pop("n_mfcc", 20), o.pop("top_db", 80.0)
    mel = {"htk": o.pop("mel_scale", "slaney") == "htk", "norm": o.pop("norm", "slaney"), "dtype": np.float64}
    mel["norm"] = None if mel["norm"] == "none" else mel["norm"]
    mel.update(o)
    s = librosa.feature.melspectrogram(y=y, sr=sr, power=power, **stft, **mel)
    if kind == "mel":
        return s
    s = librosa.power_to_db(s, ref=1.0, amin=1e-10, top_db=top_db)
    return s if kind == "log_mel" else librosa.feature.mfcc(S=s, sr=sr, n_mfcc=n_mfcc)


def write_features():
    packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
    with h5py.File(HERE / "librosa_features.h5", "w") as f:
        f.attrs["librosa"] = librosa.__version__
        data = signals()
        for name, x in data.items():
            f.create_dataset(f"signals/{name}", data=x, **packed)
        for name in ["hann", "hamming", "blackman", "blackmanharris", "bartlett", "boxcar"]:
            f[f"windows/{name}"] = scipy.signal.get_window(name, 25, fftbins=True)
        for i, (signal, options) in enumerate(CASES):
            values = np.stack([extract(y.astype(np.float64), options).T for y in data[signal]])
            total = values.shape[1]
            budget = max(4, min(24, 4096 // values.shape[2] // len(values)))  # frames kept
            ends = [0, 1, total - 2, total - 1]
            kept = sorted({k for k in ends if 0 <= k < total}
                          | {int(k) for k in np.linspace(2, total - 1, max(0, budget - 4), dtype=int) if k < total})
            g = f.create_group(f"cases/{i:02}")
            g.attrs["options"] = yaml.safe_dump(options, default_flow_style=True, width=1000).strip()
            g.attrs["signal"] = signal
            g.attrs["total"] = np.int64(total)
            g["frames"] = np.array(kept, np.int32)
            g.create_dataset("values", data=values[:, kept].astype(np.float32), **packed)


def write_gtzan(folder):
    names, values = [], []
    for i in range(10):
        name = f"blues/blues.{i:05}.wav"
        x, rate = soundfile.read(pathlib.Path(folder) / name, dtype="float32")
        assert rate == SR and x.ndim == 1
        y = x[66150:132300].astype(np.float64)
        names.append(name)
        values.append(extract(y, {"kind": "mfcc", "n_mfcc": 13}).T)
    with h5py.File(HERE / "librosa_gtzan.h5", "w") as f:
        f.attrs["librosa"] = librosa.__version__
        f["name"] = np.array(names, dtype=h5py.string_dtype())
        f.create_dataset("mfcc", data=np.stack(values).astype(np.float32), compression="gzip", shuffle=True)


if __name__ == "__main__":
    write_features()
    if len(sys.argv) > 1:
        write_gtzan(sys.argv[1])
