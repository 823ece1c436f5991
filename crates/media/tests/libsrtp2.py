"""libsrtp2 at the end of a pipe: a suite and a key (hexadecimal) as arguments, then a line a packet.

`P` protects RTP, `U` unprotects it, `PC` and `UC` the same of RTCP. The answer is the packet, or `ERR` and a number.
"""
import ctypes
import sys

lib = ctypes.CDLL("libsrtp2.so.1")


class Crypto(ctypes.Structure):
    _fields_ = [
        ("cipher", ctypes.c_uint32), ("key_length", ctypes.c_int), ("auth", ctypes.c_uint32),
        ("auth_key_length", ctypes.c_int), ("tag_length", ctypes.c_int), ("services", ctypes.c_int),
    ]


class Policy(ctypes.Structure):
    _fields_ = [
        ("ssrc_type", ctypes.c_int), ("ssrc", ctypes.c_uint), ("rtp", Crypto), ("rtcp", Crypto),
        ("key", ctypes.c_char_p), ("keys", ctypes.c_void_p), ("key_count", ctypes.c_ulong),
        ("unused", ctypes.c_void_p), ("window", ctypes.c_ulong), ("allow_repeat", ctypes.c_int),
        ("extensions", ctypes.c_void_p), ("extension_count", ctypes.c_int), ("next", ctypes.c_void_p),
    ]


SUITES = {
    "AES_CM_128_HMAC_SHA1_80": ("rtp_default", "rtp_default"),
    "AES_CM_128_HMAC_SHA1_32": ("aes_cm_128_hmac_sha1_32", "rtp_default"),
    "AES_256_CM_HMAC_SHA1_80": ("aes_cm_256_hmac_sha1_80", "aes_cm_256_hmac_sha1_80"),
    "AES_256_CM_HMAC_SHA1_32": ("aes_cm_256_hmac_sha1_32", "aes_cm_256_hmac_sha1_80"),
    "AEAD_AES_128_GCM": ("aes_gcm_128_16_auth", "aes_gcm_128_16_auth"),
    "AEAD_AES_256_GCM": ("aes_gcm_256_16_auth", "aes_gcm_256_16_auth"),
}
INBOUND, OUTBOUND = 2, 3


def session(direction, suite, key):
    policy = Policy(ssrc_type=direction, key=key, window=128)
    for name, part in zip(SUITES[suite], (policy.rtp, policy.rtcp)):
        getattr(lib, f"srtp_crypto_policy_set_{name}")(ctypes.byref(part))
    made = ctypes.c_void_p()
    status = lib.srtp_create(ctypes.byref(made), ctypes.byref(policy))
    assert status == 0, f"srtp_create: {status}"
    return made


def main():
    assert lib.srtp_init() == 0
    suite, key = sys.argv[1], bytes.fromhex(sys.argv[2])
    sending, receiving = session(OUTBOUND, suite, key), session(INBOUND, suite, key)
    does = {
        "P": (lib.srtp_protect, sending), "PC": (lib.srtp_protect_rtcp, sending),
        "U": (lib.srtp_unprotect, receiving), "UC": (lib.srtp_unprotect_rtcp, receiving),
    }
    for line in sys.stdin:
        word, packet = line.split()
        packet = bytes.fromhex(packet)
        buffer = ctypes.create_string_buffer(packet, len(packet) + 256)
        length = ctypes.c_int(len(packet))
        do, with_session = does[word]
        status = do(with_session, buffer, ctypes.byref(length))
        print(f"ERR {status}" if status else buffer.raw[: length.value].hex(), flush=True)


main()
