"""A strict reader of streamable Matroska, written from RFC 8794 and RFC 9559 and nothing else.

It accepts only elements it knows, in places where they belong, whose sizes nest; time may not run backwards.
"""

import dataclasses
import struct

EBML = 0x1A45DFA3
SEGMENT = 0x18538067
CLUSTER = 0x1F43B675
TIMESTAMP = 0xE7
SIMPLE_BLOCK = 0xA3
BLOCK_GROUP = 0xA0
BLOCK = 0xA1
TRACKS = 0x1654AE6B
TRACK_ENTRY = 0xAE
TRACK_NUMBER = 0xD7
CODEC_ID = 0x86
INFO = 0x1549A966
TIMESTAMP_SCALE = 0x2AD7B1
VOID, CRC32 = 0xEC, 0xBF

# Master element -> what may stand in it. What is no master holds a value.
_CHILDREN = {
    EBML: {0x4286, 0x42F7, 0x42F2, 0x42F3, 0x4282, 0x4287, 0x4285},
    SEGMENT: {0x114D9B74, INFO, TRACKS, CLUSTER, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0x1941A469},
    0x114D9B74: {0x4DBB},
    0x4DBB: {0x53AB, 0x53AC},
    INFO: {0x73A4, TIMESTAMP_SCALE, 0x4489, 0x4461, 0x7BA9, 0x4D80, 0x5741},
    TRACKS: {TRACK_ENTRY},
    TRACK_ENTRY: {
        TRACK_NUMBER, 0x73C5, 0x83, 0xB9, 0x88, 0x55AA, 0x9C, 0x6DE7, 0x6DF8, 0x23E383, 0x234E7A, 0x23314F,
        0x537F, 0x536E, 0x22B59C, 0x22B59D, CODEC_ID, 0x63A2, 0x258688, 0xAA, 0x56AA, 0x56BB, 0xE0, 0xE1,
    },
    0xE0: {
        0x9A, 0x9D, 0x53B8, 0xB0, 0xBA, 0x54AA, 0x54BB, 0x54CC, 0x54DD, 0x54B0, 0x54BA, 0x54B2, 0x2383E3,
        0x55B0,
    },
    0x55B0: {0x55B1, 0x55B2, 0x55B3, 0x55B4, 0x55B5, 0x55B6, 0x55B7, 0x55B8, 0x55B9, 0x55BA, 0x55BB},
    0xE1: {0xB5, 0x78B5, 0x9F, 0x6264},
    CLUSTER: {TIMESTAMP, 0xA7, 0xAB, SIMPLE_BLOCK, BLOCK_GROUP},
    BLOCK_GROUP: {BLOCK, 0x9B, 0xFB, 0x75A2},
    0x1254C367: {0x7373},
    0x7373: {0x63C0, 0x67C8},
    0x63C0: {0x68CA, 0x63CA, 0x63C5, 0x63C9, 0x63C4, 0x63C6},
    0x67C8: {0x45A3, 0x447A, 0x4484, 0x4487, 0x4485},
    0x1C53BB6B: {0xBB},
    0xBB: {0xB3, 0xB7},
    0xB7: {0xF7, 0xF1, 0xF0, 0xB2, 0x5378},
}
_UNKNOWN = -1


class EbmlError(Exception):
    """Names the offset and what is wrong there."""


@dataclasses.dataclass
class Stream:
    """What a walk found."""

    header_length: int = 0
    codecs: dict = dataclasses.field(default_factory=dict)
    clusters: list = dataclasses.field(default_factory=list)
    blocks: list = dataclasses.field(default_factory=list)  # (track number, time in ns, is keyframe, bytes)
    scale_ns: int = 1000000
    _cluster: int = 0
    _track: int = 0


def walk(content):
    """Reads one whole stream: an EBML header and one Segment. Returns a Stream."""
    stream = Stream()
    at = _element(content, 0, len(content), {EBML}, stream)
    if at >= len(content):
        raise EbmlError("nothing after the EBML header")
    at = _element(content, at, len(content), {SEGMENT}, stream)
    if at != len(content):
        raise EbmlError(f"{len(content) - at} bytes after the Segment")
    if not stream.codecs:
        raise EbmlError("no tracks")
    return stream


def _element(content, at, end, allowed, stream):
    start = at
    identifier, at = _identifier(content, at, end)
    if identifier not in allowed and identifier not in (VOID, CRC32):
        raise EbmlError(f"element {identifier:X} at {start} is unknown or does not belong there")
    size, at = _size(content, at, end)
    if size == _UNKNOWN and identifier not in (SEGMENT, CLUSTER):
        raise EbmlError(f"element {identifier:X} at {start} has no size")
    if size != _UNKNOWN and at + size > end:
        raise EbmlError(f"element {identifier:X} at {start} is longer than what holds it")
    stop = end if size == _UNKNOWN else at + size
    if identifier == CLUSTER:
        stream.header_length = stream.header_length or start
        stream._cluster = -1
    children = _CHILDREN.get(identifier)
    if children is None:
        _value(identifier, content[at:stop], start, stream)
        return stop
    while at < stop:
        if size == _UNKNOWN and identifier == CLUSTER and not _belongs(content, at, stop, children):
            return at
        at = _element(content, at, stop, children, stream)
    return at


def _belongs(content, at, end, children):
    identifier, _ = _identifier(content, at, end)
    return identifier in children or identifier in (VOID, CRC32)


def _identifier(content, at, end):
    length = _vint_length(content, at, end, 4)
    return int.from_bytes(content[at : at + length], "big"), at + length


def _size(content, at, end):
    length = _vint_length(content, at, end, 8)
    value = int.from_bytes(content[at : at + length], "big") & ((1 << (7 * length)) - 1)
    return (_UNKNOWN if value == (1 << (7 * length)) - 1 else value), at + length


def _vint_length(content, at, end, longest):
    if at >= end:
        raise EbmlError(f"the stream is cut at {at}")
    length = 9 - content[at].bit_length()
    if length > longest or at + length > end:
        raise EbmlError(f"no valid number at {at}")
    return length


def _value(identifier, value, at, stream):
    if identifier == TIMESTAMP_SCALE:
        stream.scale_ns = int.from_bytes(value, "big")
    elif identifier == TRACK_NUMBER:
        stream._track = int.from_bytes(value, "big")
    elif identifier == CODEC_ID:
        stream.codecs[stream._track] = value.rstrip(b"\0").decode("ascii")
    elif identifier == TIMESTAMP:
        stream._cluster = int.from_bytes(value, "big")
        if stream.clusters and stream._cluster < stream.clusters[-1]:
            raise EbmlError(f"the cluster at {at} is earlier than the one before it")
        stream.clusters.append(stream._cluster)
    elif identifier in (SIMPLE_BLOCK, BLOCK):
        _block(identifier, value, at, stream)


def _block(identifier, value, at, stream):
    length = _vint_length(value, 0, len(value), 8)
    number, _ = _size(value, 0, len(value))
    if len(value) < length + 3:
        raise EbmlError(f"the block at {at} is cut")
    if number not in stream.codecs:
        raise EbmlError(f"the block at {at} is of track {number}, which was not announced")
    if stream._cluster < 0:
        raise EbmlError(f"the block at {at} comes before its cluster's time")
    offset, flags = struct.unpack_from(">hB", value, length)
    time_ns = (stream._cluster + offset) * stream.scale_ns
    earlier = [block[1] for block in stream.blocks[-1:] if block[0] == number]
    if time_ns < 0 or (earlier and time_ns < earlier[0]):
        raise EbmlError(f"the block at {at} is earlier than the one before it")
    is_key = identifier == SIMPLE_BLOCK and bool(flags & 0x80)
    stream.blocks.append((number, time_ns, is_key, bytes(value[length + 3 :])))
