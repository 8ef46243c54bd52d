#!/usr/bin/python3
"""Checks that files of real encoders are accepted: makes some hundred small ones, unchanged and with what phones, mail
programs, scanners and editors add to them, tests whether common readers of each type can read them, and uploads them.

usage: tests/bench/files.py [--keep FOLDER] [--build FOLDER]

Prints a table: files made, read by a reader, and rejected. Exits with 1 if a readable file was rejected, or came back
as something else. `make corpus` installs the encoders and runs it.
"""

import argparse
import collections
import contextlib
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIMES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "avif": "image/avif", "heic": "image/heic",
         "pdf": "application/pdf", "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "mp3": "audio/mpeg",
         "m4a": "audio/mp4"}


class Maker:
    """Makes files in a folder; those that an encoder fails to make are reported and left out."""

    def __init__(self, folder):
        self.folder, self.failed = folder, []

    def path(self, name):
        return self.folder / name

    def run(self, *command, makes=None):
        """Returns True if the command succeeded. @NAME in it is replaced by the path of a file in the folder."""
        command = [str(self.path(c[1:])) if c.startswith("@") else c for c in command]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, stdin=subprocess.DEVNULL, timeout=180)
        good = done.returncode == 0 and (not makes or self.path(makes).exists())
        if not good and makes:
            self.failed.append((makes, done.stderr.decode(errors="replace").strip().splitlines()[-1:]))
            self.path(makes).unlink(missing_ok=True)
        return good

    def make(self, name, *command):
        self.run(*command, makes=name)

    def write(self, name, content):
        self.path(name).write_bytes(content)

    def ffmpeg(self, name, *options, inputs=()):
        sources = inputs or ("-f", "lavfi", "-i", "testsrc=size=32x32:rate=10:duration=0.4", "-f", "lavfi", "-i",
                             "sine=frequency=440:duration=0.4:sample_rate=48000")
        self.make(name, "ffmpeg", "-v", "error", "-y", *sources, *options, "@" + name)


# ---- files of encoders


def sources(m):
    m.make("src.png", "convert", "-size", "48x32", "-seed", "7", "plasma:", "PNG24:@src.png".replace("@", str(m.folder) + "/"))
    m.make("src-alpha.png", "convert", "@src.png", "-alpha", "set", "-channel", "A", "-evaluate", "set", "50%", "@src-alpha.png")
    m.make("src.ppm", "convert", "@src.png", "@src.ppm")
    m.ffmpeg("src.wav", "-map", "1:a", "-ac", "2")
    m.ffmpeg("cover.jpg", "-frames:v", "1", inputs=("-f", "lavfi", "-i", "mandelbrot=size=400x400:rate=1"))


def pngs(m):
    for name, *options in (("gray", "-colorspace", "Gray"), ("palette", "-colors", "8", "-type", "Palette"), ("bilevel", "-monochrome"),
                           ("interlaced", "-interlace", "PNG"), ("deep", "-depth", "16"), ("tiny", "-resize", "1x1!"),
                           ("wide", "-resize", "3000x2!"), ("commented", "-set", "comment", "Ünite 1")):
        m.make(f"im-{name}.png", "convert", "@src.png", *options, f"@im-{name}.png")
    m.make("im-alpha.png", "convert", "@src-alpha.png", "@im-alpha.png")
    for pixel in ("rgb24", "rgba", "gray", "gray16be", "pal8", "monob", "rgb48be", "ya8"):
        m.ffmpeg(f"ff-{pixel}.png", "-frames:v", "1", "-pix_fmt", pixel)
    m.ffmpeg("ff-animated.png", "-f", "apng", "-plays", "0")
    m.make("gs.png", "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=png16m", "-r10", "-sOutputFile=" + str(m.path("gs.png")), "@src.ps")
    m.make("pdftoppm.png", "pdftocairo", "-png", "-r", "10", "-singlefile", "@gs-1.4.pdf", "@pdftoppm")
    m.make("djxl.png", "optipng", "-quiet", "-o1", "-out", "@djxl.png", "@src.png")


def jpegs(m):
    for quality in (5, 50, 75, 92, 100):
        m.make(f"im-q{quality}.jpg", "convert", "@src.png", "-quality", str(quality), f"@im-q{quality}.jpg")
    for name, *options in (("progressive", "-interlace", "JPEG"), ("gray", "-colorspace", "Gray"), ("cmyk", "-colorspace", "CMYK"),
                           ("444", "-sampling-factor", "4:4:4"), ("422", "-sampling-factor", "4:2:2"), ("tiny", "-resize", "1x1!"),
                           ("commented", "-set", "comment", "x" * 60000), ("large", "-resize", "900x700!")):
        m.make(f"im-{name}.jpg", "convert", "@src.png", *options, f"@im-{name}.jpg")
    for name, *options in (("baseline", "-baseline"), ("progressive", "-progressive"), ("arithmetic", "-arithmetic"), ("restarts", "-restart", "1B"),
                           ("optimized", "-optimize"), ("float", "-dct", "float"), ("gray", "-grayscale"), ("rgb", "-rgb")):
        m.make(f"turbo-{name}.jpg", "cjpeg", *options, "-outfile", f"@turbo-{name}.jpg", "@src.ppm")
    m.make("turbo-rotated.jpg", "jpegtran", "-rotate", "90", "-outfile", "@turbo-rotated.jpg", "@turbo-baseline.jpg")
    for pixel in ("yuvj420p", "yuvj422p", "yuvj444p"):
        m.ffmpeg(f"ff-{pixel}.jpg", "-frames:v", "1", "-pix_fmt", pixel)
    m.make("gs.jpg", "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=jpeg", "-r10", "-sOutputFile=" + str(m.path("gs.jpg")), "@src.ps")
    for name, *tags in (("exif", "-Make=Phone", "-Orientation=6", "-n", "-DateTimeOriginal=2026:01:01 10:00:00"), ("xmp", "-XMP:Title=Ünite"),
                        ("iptc", "-IPTC:Keywords=okul"), ("gps", "-GPSLatitude=41", "-GPSLongitude=29"), ("icc", "-icc_profile<=/usr/share/color/icc/ghostscript/srgb.icc"),
                        ("thumbnail", "-ThumbnailImage<=" + str(m.path("turbo-baseline.jpg"))), ("bare", "-all=")):
        m.make(f"exiftool-{name}.jpg", "exiftool", "-q", *tags, "-o", f"@exiftool-{name}.jpg", "@im-q75.jpg")


def webps(m):
    for name, *options in (("lossy", "-q", "50"), ("lossless", "-lossless"), ("near", "-near_lossless", "60"), ("best", "-q", "100", "-m", "6"),
                           ("tiny", "-resize", "1", "1"), ("metadata", "-metadata", "all"), ("segments", "-segments", "4", "-sns", "90"),
                           ("partitions", "-partition_limit", "50"), ("jpeglike", "-jpeg_like"), ("sharp", "-sharp_yuv")):
        m.make(f"cwebp-{name}.webp", "cwebp", "-quiet", *options, "@src.png", "-o", f"@cwebp-{name}.webp")
    for name, *options in (("alpha", "-q", "50"), ("alpha-lossless", "-lossless"), ("alpha-raw", "-alpha_method", "0"), ("alpha-filter", "-alpha_filter", "best")):
        m.make(f"cwebp-{name}.webp", "cwebp", "-quiet", *options, "@src-alpha.png", "-o", f"@cwebp-{name}.webp")
    for name, *options in (("lossless",), ("lossy", "-lossy"), ("mixed", "-mixed"), ("minimal", "-min_size")):
        m.make(f"gif2webp-{name}.webp", "gif2webp", "-quiet", *options, "@ff-animated.gif", "-o", f"@gif2webp-{name}.webp")
    m.make("img2webp.webp", "img2webp", "-d", "100", "@src.png", "-lossy", "@src-alpha.png", "-o", "@img2webp.webp")
    m.write("note.xmp", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><script/></x:xmpmeta>")
    m.make("webpmux-xmp.webp", "webpmux", "-set", "xmp", "@note.xmp", "@cwebp-lossy.webp", "-o", "@webpmux-xmp.webp")
    for name, *options in (("lossy",), ("lossless", "-lossless", "1")):
        m.ffmpeg(f"ff-{name}.webp", "-frames:v", "1", "-c:v", "libwebp", *options)
    m.ffmpeg("ff-animated.webp", "-c:v", "libwebp_anim", "-loop", "0")
    m.make("im.webp", "convert", "@src.png", "@im.webp")


def gifs(m):
    m.ffmpeg("ff-animated.gif", "-map", "0:v")
    m.ffmpeg("ff-still.gif", "-frames:v", "1")
    for name, *options in (("plain",), ("interlaced", "-interlace", "GIF"), ("tiny", "-resize", "1x1!"), ("bilevel", "-monochrome"),
                           ("commented", "-set", "comment", "<script>" * 40), ("87", "-colors", "4")):
        m.make(f"im-{name}.gif", "convert", "@src.png", *options, ("GIF87:" if name == "87" else "") + str(m.path(f"im-{name}.gif")))
    m.make("im-transparent.gif", "convert", "@src-alpha.png", "-transparent", "black", "@im-transparent.gif")
    for name, *options in (("optimized", "-O3"), ("lossy", "--lossy=80"), ("loop", "--loopcount=3"), ("colors", "--colors", "4"), ("comment", "--comment", "okul"),
                           ("unoptimized", "-U")):
        m.make(f"gifsicle-{name}.gif", "gifsicle", *options, "-o", f"@gifsicle-{name}.gif", "@ff-animated.gif")


def heifs(m):
    for name, *options in (("default",), ("444", "-y", "444"), ("422", "-y", "422"), ("400", "-y", "400"), ("10bit", "-d", "10"), ("12bit", "-d", "12"),
                           ("lossless", "-l"), ("rotated", "--irot", "1"), ("mirrored", "--imir", "1"), ("full", "-r", "full")):
        m.make(f"avifenc-{name}.avif", "avifenc", "-s", "10", *options, "@src.png", f"@avifenc-{name}.avif")
    m.make("avifenc-alpha.avif", "avifenc", "-s", "10", "@src-alpha.png", "@avifenc-alpha.avif")
    m.make("avifenc-sequence.avif", "avifenc", "-s", "10", "@src.png", "@im-interlaced.png", "@avifenc-sequence.avif")
    m.make("heif-enc.avif", "heif-enc", "-A", "@src.png", "-o", "@heif-enc.avif")
    m.ffmpeg("ff.avif", "-frames:v", "1", "-c:v", "libaom-av1", "-cpu-used", "8", "-pix_fmt", "yuv420p")
    for name, *options in (("q10", "-q", "10"), ("q50", "-q", "50"), ("q95", "-q", "95"), ("lossless", "-L"), ("10bit", "-b", "10"), ("thumb", "-t", "16"),
                           ("444", "-p", "chroma=444")):
        m.make(f"heif-enc-{name}.heic", "heif-enc", *options, "@src.png", "-o", f"@heif-enc-{name}.heic")
    m.make("heif-enc-alpha.heic", "heif-enc", "@src-alpha.png", "-o", "@heif-enc-alpha.heic")
    m.make("heif-enc-two.heic", "heif-enc", "@src.png", "@im-interlaced.png", "-o", "@heif-enc-two.heic")
    m.make("exiftool.heic", "exiftool", "-q", "-Make=Phone", "-o", "@exiftool.heic", "@heif-enc-q50.heic")


LETTER = b"""%!PS-Adobe-3.0
/Helvetica findfont 24 scalefont setfont
72 700 moveto (Ders 1) show showpage
72 700 moveto (Ders 2) show showpage
"""


def pdfs(m):
    m.write("letter.txt", "Ünite 1: Merhaba\n".encode() * 20)
    m.write("letter.html", "<html><head><meta charset=utf-8></head><body><h1>Ünite</h1><p>ğüşiöç <a href='https://example.com'>x</a></p></body></html>".encode())
    m.write("sheet.csv", "ad,puan\nAda,10\nBora,9\n".encode())
    for level in ("1.2", "1.3", "1.4", "1.5", "1.7", "2.0"):
        m.make(f"gs-{level}.pdf", "ps2pdf", f"-dCompatibilityLevel={level}", "@src.ps", f"@gs-{level}.pdf")
    for name, *options in (("screen", "-dPDFSETTINGS=/screen"), ("prepress", "-dPDFSETTINGS=/prepress"), ("a", "-dPDFA=2"), ("linear", "-dFastWebView=true")):
        m.make(f"gs-{name}.pdf", "ps2pdf", *options, "@src.ps", f"@gs-{name}.pdf")
    for source in ("letter.txt", "letter.html", "sheet.csv"):
        stem = source.partition(".")[0] + "-" + source.partition(".")[2]
        with tempfile.TemporaryDirectory() as home:
            done = m.run("soffice", f"-env:UserInstallation=file://{home}", "--headless", "--convert-to", "pdf", "--outdir", home, "@" + source)
            made = pathlib.Path(home, source.partition(".")[0] + ".pdf")
            if done and made.exists():
                m.write(f"office-{stem}.pdf", made.read_bytes())
            else:
                m.failed.append((f"office-{stem}.pdf", ["soffice"]))
    office = "office-letter-txt.pdf" if m.path("office-letter-txt.pdf").exists() else "gs-1.7.pdf"
    for name, *options in (("linear", "--linearize"), ("objects", "--object-streams=generate"), ("no-objects", "--object-streams=disable"), ("qdf", "--qdf"),
                           ("1.3", "--force-version=1.3"), ("raw", "--stream-data=uncompress"), ("newline", "--newline-before-endstream"),
                           ("aes", "--encrypt", "", "owner", "256", "--"), ("rc4", "--allow-weak-crypto", "--encrypt", "", "owner", "128", "--"),
                           ("first", "--pages", ".", "1", "--"), ("rotated", "--rotate=90")):
        for source in (office, "gs-1.4.pdf"):
            m.make(f"qpdf-{name}-{source}", "qpdf", *options, "@" + source, f"@qpdf-{name}-{source}")
    m.make("cairo.pdf", "pdftocairo", "-pdf", "@gs-1.4.pdf", "@cairo.pdf")
    m.make("united.pdf", "pdfunite", "@gs-1.4.pdf", "@cairo.pdf", "@united.pdf")
    m.make("exiftool.pdf", "exiftool", "-q", "-Title=Ünite", "-o", "@exiftool.pdf", "@gs-1.4.pdf")


def films(m):
    x264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    for name, *options in (("h264", *x264), ("faststart", *x264, "-movflags", "+faststart"), ("fragmented", *x264, "-movflags", "frag_keyframe+empty_moov"),
                           ("dash", *x264, "-movflags", "dash", "-brand", "dash"), ("cmaf", *x264, "-movflags", "cmaf"), ("base-moof", *x264, "-movflags", "frag_keyframe+default_base_moof"),
                           ("mp42", *x264, "-brand", "mp42"), ("avc1", *x264, "-brand", "avc1"), ("iso6", *x264, "-brand", "iso6"), ("silent", *x264, "-an"),
                           ("h265", "-c:v", "libx265", "-tag:v", "hvc1", "-c:a", "aac"), ("mpeg4", "-c:v", "mpeg4"), ("av1", "-c:v", "libaom-av1", "-cpu-used", "8"),
                           ("vp9", "-c:v", "libvpx-vp9", "-c:a", "libopus"), ("mp3", "-c:v", "libx264", "-c:a", "libmp3lame"),
                           ("tagged", *x264, "-metadata", "title=Ünite", "-movflags", "use_metadata_tags"), ("sound-only", "-vn", "-c:a", "aac"),
                           ("psp", "-f", "psp", *x264, "-s", "32x32", "-r", "30000/1001", "-ar", "48000", "-b:a", "96k"),
                           ("unknown-brand", *x264, "-brand", "XAVC"), ("rtphint", *x264, "-movflags", "rtphint"), ("write-colr", *x264, "-movflags", "write_colr")):
        m.ffmpeg(f"ff-{name}.mp4", *options)
    for name, *options in (("h264", *x264), ("faststart", *x264, "-movflags", "+faststart"), ("mjpeg", "-c:v", "mjpeg", "-c:a", "pcm_s16le"), ("prores", "-c:v", "prores"),
                           ("alac", "-vn", "-c:a", "alac"), ("h265", "-c:v", "libx265", "-tag:v", "hvc1"), ("animation", "-c:v", "qtrle"), ("fragmented", *x264, "-movflags", "frag_keyframe+empty_moov"),
                           ("timecode", *x264, "-timecode", "00:00:00:00"), ("silent", *x264, "-an")):
        m.ffmpeg(f"ff-{name}.mov", *options)
    for name, *options in (("aac", "-c:a", "aac"), ("alac", "-c:a", "alac"), ("faststart", "-c:a", "aac", "-movflags", "+faststart"), ("mono", "-c:a", "aac", "-ac", "1"),
                           ("tagged", "-c:a", "aac", "-metadata", "title=Ünite"), ("low", "-c:a", "aac", "-b:a", "16k", "-ar", "16000")):
        m.ffmpeg(f"ff-{name}.m4a", "-map", "1:a", "-f", "ipod", *options)
    m.ffmpeg("ff-cover.m4a", "-map", "0:a", "-map", "1:v", "-c:a", "aac", "-c:v", "copy", "-disposition:v", "attached_pic", "-f", "ipod",
             inputs=("-i", str(m.path("src.wav")), "-i", str(m.path("cover.jpg"))))
    for name, *options in (("vp8", "-c:v", "libvpx", "-c:a", "libvorbis"), ("vp9", "-c:v", "libvpx-vp9", "-c:a", "libopus"), ("av1", "-c:v", "libaom-av1", "-cpu-used", "8", "-c:a", "libopus"),
                           ("live", "-c:v", "libvpx", "-c:a", "libopus", "-live", "1"), ("opus", "-vn", "-c:a", "libopus"), ("vorbis", "-vn", "-c:a", "libvorbis"), ("silent", "-c:v", "libvpx", "-an"),
                           ("dash", "-c:v", "libvpx-vp9", "-an", "-dash", "1"), ("cues-first", "-c:v", "libvpx", "-cues_to_front", "1"), ("alpha", "-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0"),
                           ("tagged", "-c:v", "libvpx", "-metadata", "title=Ünite")):
        m.ffmpeg(f"ff-{name}.webm", *options)
    m.make("ff-piped.webm", "sh", "-c", "ffmpeg -v error -f lavfi -i testsrc=size=32x32:duration=0.3 -c:v libvpx -f webm - >" + str(m.path("ff-piped.webm")))


def songs(m):
    for name, *options in (*((f"cbr{rate}", "-b", str(rate)) for rate in (32, 64, 128, 192, 256, 320)), *((f"v{q}", "-V", str(q)) for q in (0, 2, 5, 9)), ("abr", "--abr", "140"),
                           *((f"{rate}hz", "--resample", rate) for rate in ("8", "11.025", "12", "16", "22.05", "24", "32", "44.1")), ("mono", "-m", "m"), ("joint", "-m", "j"),
                           ("no-xing", "-t"), ("crc", "-p"), ("v1", "--id3v1-only", "--tt", "Unite"), ("v2", "--id3v2-only", "--tt", "Unite"),
                           ("padded", "--add-id3v2", "--pad-id3v2-size", "60000", "--tt", "U"), ("utf16", "--id3v2-utf16", "--tt", "Ünite"), ("copyright", "-c"), ("replaygain", "--replaygain-accurate"),
                           ("cover", "--ti", str(m.path("cover.jpg")), "--tt", "U"), ("small-cover", "--ti", str(m.path("turbo-baseline.jpg")))):
        m.make(f"lame-{name}.mp3", "lame", "--quiet", *options, "@src.wav", f"@lame-{name}.mp3")
    for name, *options in (("plain",), ("v4", "-id3v2_version", "4"), ("v3", "-id3v2_version", "3"), ("bare", "-id3v2_version", "0", "-write_xing", "0"), ("v1", "-write_id3v1", "1")):
        m.ffmpeg(f"ff-{name}.mp3", "-map", "1:a", "-c:a", "libmp3lame", *options)
    for name, scale in (("cover", "400:400"), ("large-cover", "2600:2600")):
        m.ffmpeg(f"ff-{name}.mp3", "-map", "0:a", "-map", "1:v", "-c:a", "libmp3lame", "-c:v", "png", "-vf", f"scale={scale},noise=alls=60", "-id3v2_version", "3",
                 inputs=("-i", str(m.path("src.wav")), "-i", str(m.path("cover.jpg"))))


# ---- additions of other programs


def box(kind, content):
    return struct.pack(">I", 8 + len(content)) + kind + content


def tag(content, version=3):
    return b"ID3" + bytes([version, 0, 0]) + bytes(len(content) >> n & 0x7f for n in (21, 14, 7, 0)) + content


SAMSUNG = b"\0\0\1\x0a\x0e\0\0\0Image_UTC_Data1640995200000SEFH\x6b\0\0\0\1\0\0\0\0\0\1\x0a\x23\0\0\0\x23\0\0\0\x18\0\0\0SEFT"
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>\n"


def variants(kind, one, of):
    """{name: content}: the file `one` with typical additions to files of its kind. of(name) returns another file."""
    any_ = {"text-behind": one + b"\n" + HTML, "zeros-behind": one + bytes(4097), "spaces-behind": one + b"\r\n" * 20}
    if kind == "jpg":
        return any_ | {"padded": one + bytes(200_000), "film-behind": one + of("ff-h264.mp4"), "photo-behind": one + of("turbo-baseline.jpg"),
                       "two-behind": one + of("turbo-baseline.jpg") + of("im-gray.jpg") + bytes(99), "samsung": one + SAMSUNG, "cut": one[:-2],
                       "half": one[:len(one) * 2 // 3], "ff-before": one[:2] + b"\xff\xff" + one[2:], "filled": one[:2] + b"\xff" + one[2:],
                       "long-comment": one[:2] + b"".join(b"\xff\xfe\xff\xff" + b"x" * 65533 for _ in range(5)) + one[2:], "ff-behind": one + b"\xff" * 33}
    if kind == "pdf":
        return any_ | {"mark-before": b"\xef\xbb\xbf" + one, "lines-before": b"\r\n\r\n" + one, "line-before": b"\n" + one, "spaces-before": b"   " + one,
                       "head-before": b"Content-Type: application/pdf\r\nContent-Length: 1\r\n\r\n" + one, "macbinary": bytes(128) + one, "html-before": HTML + one,
                       "far-before": b"%" * 1018 + b"\n" + one, "cut": one[:-7], "half": one[:len(one) * 4 // 5], "html-behind": one + HTML * 100, "signed-behind": one + bytes(9000) + b"%%EOF\n",
                       "twice": one + one, "mail-behind": one + b"\r\n------=_NextPart_000--\r\n", "mark-and-lines": b"\xef\xbb\xbf\r\n" + one}
    if kind == "mp3":
        return any_ | {"large-tag": tag(b"APIC" + struct.pack(">I", 3 << 20) + b"\0\0" + b"\x01" * (3 << 20)) + one, "two-tags": tag(bytes(100)) + tag(bytes(3000), 4) + one,
                       "padding": tag(bytes(20)) + bytes(9000) + one, "zeros-before": bytes(1000) + one, "v1-behind": one + b"TAG" + bytes(125),
                       "ape-behind": one + b"APETAGEX\xd0\x07\0\0\x20\0\0\0\0\0\0\0\0\0\0\x80" + bytes(8), "lyrics-behind": one + b"LYRICSBEGININD0000200000038LYRICS200",
                       "cut-before": of("ff-bare.mp3")[150:], "cut": one[:-100], "wrong-tag-size": tag(bytes(50)) + bytes(333) + one}
    if kind in ("mp4", "mov", "m4a"):
        return any_ | {"free-behind": one + box(b"free", HTML), "uuid-behind": one + box(b"uuid", bytes(16) + HTML), "gap-behind": one + b"\0" * 8, "xmp-behind": one + box(b"XMP_", HTML)}
    if kind in ("avif", "heic"):
        return any_ | {"free-behind": one + box(b"free", HTML), "film-behind": one + box(b"mpvd", of("ff-h264.mp4")), "samsung": one + SAMSUNG}
    if kind == "png":
        return any_ | {"cut": one[:-12], "film-behind": one + of("ff-h264.mp4"), "screenshot": one[:33] + b"\0\0\0\x04vpAg\0\0\0\0\0\0\0\0" + one[33:]}
    if kind == "webp":
        return any_ | {"odd": one + b"\0", "junk-chunk": one[:4] + struct.pack("<I", len(one) - 8 + 12) + one[8:] + b"JUNK\4\0\0\0abcd"}
    if kind == "gif":
        return any_ | {"no-trailer": one[:-1], "two-trailers": one + b";"}
    return any_ | {"void-behind": one + b"\xec\x84abcd", "cut": one[:-50]}


def before_brands(m):
    """QuickTime files without ftyp, as from cameras of twenty years ago."""
    for name in ("ff-mjpeg.mov", "ff-faststart.mov"):
        with contextlib.suppress(FileNotFoundError):
            one = m.path(name).read_bytes()
            m.write("unbranded-" + name, one[struct.unpack(">I", one[:4])[0]:])


BASES = 4       # number of files of each kind that get each addition


def corpus(folder):
    m = Maker(folder)
    m.write("src.ps", LETTER)
    sources(m)
    for make in (gifs, pdfs, pngs, jpegs, webps, heifs, films, songs, before_brands):
        make(m)
    made = sorted(p for p in folder.iterdir() if p.suffix[1:] in MIMES and not p.name.startswith(("src", "cover")))
    for kind in MIMES:
        of_kind = [p for p in made if p.suffix == "." + kind]
        for base in of_kind[::max(1, len(of_kind) // BASES)][:BASES]:
            for what, content in variants(kind, base.read_bytes(), lambda name: m.path(name).read_bytes()).items():
                path = folder / f"{base.stem}+{what}.{kind}"
                path.write_bytes(content)
                made.append(path)
    return made, m.failed


# ---- readers


def succeeds(*command, codes=(0,)):
    try:
        return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=60).returncode in codes
    except (OSError, subprocess.TimeoutExpired):
        return False


def plays(path):
    return succeeds("ffmpeg", "-v", "fatal", "-xerror", "-i", path, "-t", "0.1", "-f", "null", "-")


def readers(kind, path):
    """Whether one of the common readers of the type can read the file."""
    if kind == "pdf":
        return succeeds("pdftotext", path, "-") or succeeds("qpdf", "--check", path, codes=(0, 3)) or succeeds(
            "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=nullpage", path)
    if kind == "avif":
        return succeeds("avifdec", "--info", path) or succeeds("heif-info", path) or plays(path)
    if kind == "heic":
        return succeeds("heif-info", path)
    if kind in ("png", "jpg", "gif", "webp"):
        special = {"jpg": ("djpeg", "-outfile", "/dev/null", path), "webp": ("dwebp", "-quiet", path, "-o", "/dev/null")}.get(kind)
        return succeeds("identify", f"{kind}:{path}") or bool(special and succeeds(*special, codes=(0, 2))) or plays(path)
    return plays(path)


# ---- uploading


def check(api, person, path):
    """Uploads and downloads a file; returns the error, or None."""
    kind, content = path.suffix[1:], path.read_bytes()
    answer = person.upload(content, "ödev.hta")
    if answer.status != 201:
        return f"{answer.status} {answer.errors}"
    url = urllib.parse.urlsplit(answer.data["url"])
    got = api.get(f"{url.path}?{url.query}")
    disposition = got.headers["Content-Disposition"]
    good = (answer.data["mimeType"] == got.headers["Content-Type"] == MIMES[kind] and got.body == content
            and answer.data["fileName"] == "ödev." + kind and got.headers["X-Content-Type-Options"] == "nosniff"
            and "sandbox" in got.headers["Content-Security-Policy"] and disposition.startswith("attachment" if kind == "pdf" else "inline"))
    person.delete(f"/storage/files/{answer.data['key']}")
    return None if good else f"{answer.data['mimeType']} {answer.data['fileName']} {disposition}"


def main():
    options = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    options.add_argument("--keep", type=pathlib.Path)
    options.add_argument("--build", default="build/test")
    options = options.parse_args()
    os.environ["OKUL_BUILD"] = options.build
    sys.path.insert(0, str(ROOT / "tests" / "api"))
    from helpers.client import Okul
    from helpers.server import Server
    with contextlib.ExitStack() as stack:
        folder = options.keep or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="okul-corpus-")))
        folder.mkdir(parents=True, exist_ok=True)
        made, failed = corpus(folder)
        server = Server("corpus", OKUL_STORAGE_USER_QUOTA="0", OKUL_STORAGE_SHARE="0", OKUL_ENV="development")
        stack.callback(server.stop)
        api = Okul(server)
        person = api.registered()
        count, wrong = collections.Counter(), []
        for path in made:
            kind = path.suffix[1:]
            count[kind, "made"] += 1
            why = check(api, person, path)
            if readers(kind, path):
                count[kind, "read"] += 1
                if why:
                    wrong.append((path.name, why))
                    count[kind, "refused"] += 1
            elif not why:
                count[kind, "more"] += 1
    print("| type | made | read by a reader | of these rejected | accepted although no reader reads it |\n| --- | --- | --- | --- | --- |")
    for kind in (*MIMES, "all"):
        figures = [sum(count[k, column] for k in ([kind] if kind != "all" else MIMES)) for column in ("made", "read", "refused", "more")]
        print(f"| {kind} | {' | '.join(map(str, figures))} |")
    for name, why in failed:
        print(f"not made: {name}: {' '.join(why)}", file=sys.stderr)
    for name, why in wrong:
        print(f"REJECTED: {name}: {why}", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
