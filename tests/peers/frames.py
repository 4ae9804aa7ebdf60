"""Frames put together from RTP packets by the RFCs (7587, 7741, 9628, 6184) and nothing of ours."""

import dataclasses
import hashlib
import struct

from peers import media

_NO_PICTURE = {6, 7, 8, 9, 12}  # of H.264: messages, parameter sets, delimiters, filler


@dataclasses.dataclass
class Sent:
    """A frame as it was sent: which packets it needs, by their place in the stream, and what it is made of."""

    timestamp: int
    places: list
    digest: str
    is_key: bool


def sent_frames(codec, packets):
    """All frames of a whole stream, in order."""
    rows, frames = {}, []
    for place, packet in enumerate(packets):
        rows.setdefault(struct.unpack_from(">I", packet, 4)[0], []).append((place, media.payload(packet)))
    for timestamp, parts in rows.items():
        if codec == "h264":
            frames.append(_h264(timestamp, parts))
            continue
        first = parts[0][1]
        content = b"".join(_STRIP[codec](payload) for _, payload in parts)
        places = [place for place, _ in parts]
        frames.append(Sent(timestamp, places, _digest(content), _IS_KEY[codec](first, content)))
    return frames


def stored_digest(codec, frame):
    """The digest of a frame as it lies in Matroska."""
    if codec != "h264":
        return _digest(frame)
    units, at = [], 0
    while at < len(frame):
        (length,) = struct.unpack_from(">I", frame, at)
        units.append(frame[at + 4 : at + 4 + length])
        at += 4 + length
    return _digest_units(units)


def _digest(content):
    return hashlib.md5(content).hexdigest()


def _digest_units(units):
    return _digest(b"".join(struct.pack(">I", len(unit)) + unit for unit in units if unit[0] & 0x1F not in _NO_PICTURE))


def _opus(payload):
    return payload


def _vp8(payload):
    at = 1
    if payload[0] & 0x80:
        extension = payload[1]
        at = 2
        if extension & 0x80:
            at += 2 if payload[at] & 0x80 else 1
        if extension & 0x40:
            at += 1
        if extension & 0x30:
            at += 1
    return payload[at:]


def _vp9(payload):
    has_id, is_inter, has_layers, is_flexible = (payload[0] & bit for bit in (0x80, 0x40, 0x20, 0x10))
    at = 1
    if has_id:
        at += 2 if payload[at] & 0x80 else 1
    if has_layers:
        at += 1 if is_flexible else 2
    if is_flexible and is_inter:
        while payload[at] & 1:
            at += 1
        at += 1
    if payload[0] & 0x02:
        at = _after_structure(payload, at)
    return payload[at:]


def _after_structure(payload, at):
    head = payload[at]
    at += 1
    if head & 0x10:
        at += 4 * ((head >> 5) + 1)
    if head & 0x08:
        n_pictures = payload[at]
        at += 1
        for _ in range(n_pictures):
            at += 1 + (payload[at] >> 2 & 3)
    return at


def _h264(timestamp, parts):
    """Needs the packets with slices; of the others a decoder has had some before."""
    units, places, is_key = [], [], False
    for place, payload in parts:
        kind = payload[0] & 0x1F
        if kind == 24:
            inside = list(_aggregated(payload))
        elif kind == 28:
            inside = [bytes([payload[0] & 0xE0 | payload[1] & 0x1F])] if payload[1] & 0x80 else [b""]
            inside[0] += payload[2:]
        else:
            inside = [payload]
        if kind == 28 and not payload[1] & 0x80:
            units[-1] += inside[0]
            places.append(place)
            continue
        units += inside
        if any(unit[0] & 0x1F not in _NO_PICTURE for unit in inside):
            places.append(place)
        is_key |= any(unit[0] & 0x1F == 5 for unit in inside)
    return Sent(timestamp, places, _digest_units(units), is_key)


def _aggregated(payload):
    at = 1
    while at < len(payload):
        (length,) = struct.unpack_from(">H", payload, at)
        yield payload[at + 2 : at + 2 + length]
        at += 2 + length


_STRIP = {"opus": _opus, "vp8": _vp8, "vp9": _vp9}
_IS_KEY = {
    "opus": lambda first, content: True,
    "vp8": lambda first, content: not content[0] & 1,
    "vp9": lambda first, content: not first[0] & 0x40,
}
