"""What the machine lets a test do: mounts of its own, small disks, cuts of their power.

A mount that another process inherits is not really unmounted, and a second mount of the same image
destroys it; so all of this happens in a mount namespace of its own.
"""

import contextlib
import errno
import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

FORBIDDEN = 77  # The exit status of a test that the machine does not let run.
SHUTDOWN = 0x8004587D  # _IOR('X', 125, uint32_t)
NO_LOG_FLUSH = 2
MOVE_EXTENT = 0xC028660F  # _IOWR('f', 15, struct move_extent)


def forbid(reason):
    print(f"not run: {reason}")
    sys.exit(FORBIDDEN)


def why_no_mounts():
    """What keeps us from having mounts of our own; None: nothing."""
    if os.geteuid() != 0:
        return "mounts need root"
    for program in ("unshare", "mkfs.ext4", "filefrag"):
        if shutil.which(program) is None:
            return f"there is no {program}"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        return "a mount namespace of one's own (unshare -m) is not allowed"
    return None


def enter_private_mounts():
    """Starts the program again with mounts that nobody else sees."""
    # `unshare` becomes the program, so the number of the process stays.
    own = str(os.getpid())
    if os.environ.get("HOLDFAST_PRIVATE_MOUNTS") == own:
        return
    reason = why_no_mounts()
    if reason:
        forbid(reason)
    os.execvpe("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-B",
                           *sys.argv], {**os.environ, "HOLDFAST_PRIVATE_MOUNTS": own})


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr}")
    return result.stdout


class Disk:
    """An ext4 file system in a file in memory."""

    def __init__(self, byte_count, memory_byte_count=None):
        """- memory_byte_count: of the file system in memory that the image lies in."""
        self.memory = tempfile.mkdtemp(prefix="holdfast-disk-")
        options = f"size={memory_byte_count or byte_count + (8 << 20)}"
        try:
            run("mount", "-t", "tmpfs", "-o", options, "tmpfs", self.memory)
        except RuntimeError as error:
            forbid(f"no mounts: {error}")
        self.image = self.memory + "/image"
        self.folder = self.memory + "/mounted"
        os.mkdir(self.folder)
        with open(self.image, "wb") as file:
            file.truncate(byte_count)
        run("mkfs.ext4", "-qF", "-b", "4096", "-m", "0",
            "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
        try:
            self.mount()
        except RuntimeError as error:
            run("umount", self.memory)
            forbid(f"no loop mounts: {error}")

    def mount(self, *options):
        run("mount", "-o", ",".join(("loop", *options)), self.image, self.folder)

    def unmount(self):
        run("umount", self.folder)

    def remount(self):
        self.unmount()
        self.mount()

    def cut(self):
        """Cuts the power: what was not synced is gone, and nothing more gets through."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def remove(self):
        self.unmount()
        run("umount", self.memory)
        os.rmdir(self.memory)

    def keep(self):
        """Copies the image to where it outlives the mounts; its path."""
        kept = tempfile.mkdtemp(prefix="holdfast-kept-") + "/image"
        os.sync()
        shutil.copyfile(self.image, kept)
        return kept

    def extents(self, path):
        """Where a file lies: (offset in the file, offset in the image, bytes)."""
        rows = re.findall(r"^ *\d+: *(\d+)\.\. *\d+: *(\d+)\.\. *\d+: *(\d+):",
                          run("filefrag", "-v", path), re.M)
        return [tuple(int(number) * 4096 for number in row) for row in rows]

    def move(self, path, start):
        """Moves what lies behind `start` of a file to other blocks, not beside those before."""
        size = os.path.getsize(path)
        donor_path = path + ".donor"
        file = os.open(path, os.O_RDWR)
        donor = os.open(donor_path, os.O_RDWR | os.O_CREAT)
        try:
            os.write(donor, bytes(size))
            os.fsync(donor)
            while start < size:
                request = bytearray(struct.pack("<IIQQQQ", 0, donor, start // 4096, start // 4096,
                                                (size - start) // 4096, 0))
                # Pages that are being written are busy.
                os.fsync(file)
                try:
                    fcntl.ioctl(file, MOVE_EXTENT, request)
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        raise
                start += struct.unpack("<IIQQQQ", request)[5] * 4096
        finally:
            os.close(donor)
            os.close(file)
        os.unlink(donor_path)


def fill(path):
    """Takes all the space that is left where `path` lies."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    end = os.lseek(descriptor, 0, os.SEEK_END)
                    os.posix_fallocate(descriptor, end, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
