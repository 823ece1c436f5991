/*
 * A camera that is not there: preloaded into a program, this library answers for the Video4Linux device
 * /dev/video42 as a driver would that captures YUYV into mapped buffers.
 *
 * FAKE_CAMERA names a folder. In it lie
 *   frame.pgm   what the camera sees (binary PGM, 8 bit), read anew for every frame
 *   fault       nothing, or "busy", "forbidden" or "unplugged"
 * so that a test may put another picture before a camera that runs, or pull its plug.
 *
 * The device is a memory file, so mapping, polling, duplicating and closing it is the kernel's own work.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NODE "video42"
#define DEVICE "/dev/" NODE
#define NAME_FILE "/sys/class/video4linux/" NODE "/name"
#define NAME "Fake camera"
#define BUFFERS 4
#define RATE 15

enum fault { NONE, BUSY, FORBIDDEN, UNPLUGGED };

struct size {
	unsigned width, height;
};
static const struct size sizes[] = { { 640, 480 }, { 1280, 720 }, { 1920, 1080 } };
#define SIZES (sizeof sizes / sizeof sizes[0])

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	int file; /* the memory file behind every open descriptor; 0 before the first */
	struct size size;
	int streaming;
	unsigned buffers, sequence;
	unsigned queue[BUFFERS], queued;
	struct timespec next;
} camera = { .size = { 640, 480 } };

/* The functions this library stands before. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static FILE *in_folder(const char *name)
{
	const char *folder = getenv("FAKE_CAMERA");
	char path[4096];

	if (!folder || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return NULL;
	return fopen(path, "rbe");
}

static enum fault fault(void)
{
	static const char *const names[] = { "", "busy", "forbidden", "unplugged" };
	char word[16] = "";
	FILE *file = in_folder("fault");

	if (!file)
		return NONE;
	if (fscanf(file, "%15s", word) != 1)
		word[0] = 0;
	fclose(file);
	for (int i = BUSY; i <= UNPLUGGED; i++)
		if (!strcmp(word, names[i]))
			return i;
	return NONE;
}

static int failed(int error)
{
	errno = error;
	return -1;
}

/* Plugged in again, it will remember nothing. */
static int gone(void)
{
	camera.streaming = 0;
	camera.buffers = camera.queued = 0;
	return failed(ENODEV);
}

static int is_camera(int fd)
{
	struct stat one, other;

	return camera.file && fd >= 0 && !fstat(fd, &one) && !fstat(camera.file, &other) &&
	       one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

static size_t frame_bytes(void)
{
	return (size_t)camera.size.width * camera.size.height * 2;
}

/* Mappings begin at whole pages. */
static size_t buffer_offset(unsigned index)
{
	return index * ((frame_bytes() + 4095) & ~(size_t)4095);
}

/* Puts what the camera sees into a buffer, brought to its size point by point; grey where it sees nothing. */
static void expose(unsigned index)
{
	unsigned width = 0, height = 0, deepest = 0;
	unsigned char *picture = NULL, *frame = malloc(frame_bytes());
	FILE *file = in_folder("frame.pgm");

	if (!frame)
		abort();
	if (file && fscanf(file, "P5 %u %u %u", &width, &height, &deepest) == 3 && deepest == 255 &&
	    width && height && width < 16384 && height < 16384 && fgetc(file) != EOF) {
		picture = malloc((size_t)width * height);
		if (picture && fread(picture, width, height, file) != height) {
			free(picture);
			picture = NULL;
		}
	}
	if (file)
		fclose(file);
	for (unsigned y = 0; y < camera.size.height; y++) {
		unsigned char *row = frame + (size_t)y * camera.size.width * 2;
		for (unsigned x = 0; x < camera.size.width; x++) {
			size_t from = (size_t)(y * height / camera.size.height) * width + x * width / camera.size.width;
			row[2 * x] = picture ? picture[from] : 128;
			row[2 * x + 1] = 128;
		}
	}
	if (pwrite(camera.file, frame, frame_bytes(), (off_t)buffer_offset(index)) < 0)
		abort();
	free(picture);
	free(frame);
}

static void describe(struct v4l2_pix_format *format)
{
	format->width = camera.size.width;
	format->height = camera.size.height;
	format->pixelformat = V4L2_PIX_FMT_YUYV;
	format->field = V4L2_FIELD_NONE;
	format->bytesperline = camera.size.width * 2;
	format->sizeimage = (unsigned)frame_bytes();
	format->colorspace = V4L2_COLORSPACE_SRGB;
}

static int set_format(struct v4l2_format *format, int try_only)
{
	struct size before = camera.size;

	if (format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
		return failed(EINVAL);
	if (!try_only && (camera.streaming || fault() == BUSY))
		return failed(EBUSY);
	camera.size = sizes[0];
	for (unsigned i = 1; i < SIZES; i++)
		if (format->fmt.pix.width >= sizes[i].width)
			camera.size = sizes[i];
	describe(&format->fmt.pix);
	if (try_only)
		camera.size = before;
	return 0;
}

static int describe_buffer(struct v4l2_buffer *buffer, unsigned index)
{
	if (index >= camera.buffers)
		return failed(EINVAL);
	buffer->index = index;
	buffer->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	buffer->memory = V4L2_MEMORY_MMAP;
	buffer->field = V4L2_FIELD_NONE;
	buffer->length = (unsigned)frame_bytes();
	buffer->m.offset = (unsigned)buffer_offset(index);
	return 0;
}

static int request_buffers(struct v4l2_requestbuffers *request)
{
	if (fault() == BUSY)
		return failed(EBUSY);
	if (request->memory != V4L2_MEMORY_MMAP)
		return failed(EINVAL);
	if (request->count > BUFFERS)
		request->count = BUFFERS;
	camera.buffers = request->count;
	camera.queued = 0;
	if (ftruncate(camera.file, (off_t)buffer_offset(request->count)))
		return -1;
	return 0;
}

static int queue(struct v4l2_buffer *buffer)
{
	if (buffer->index >= camera.buffers || camera.queued == BUFFERS)
		return failed(EINVAL);
	camera.queue[camera.queued++] = buffer->index;
	buffer->flags = V4L2_BUF_FLAG_QUEUED;
	return 0;
}

static int dequeue(struct v4l2_buffer *buffer)
{
	struct timespec due = camera.next, now;

	if (!camera.streaming)
		return failed(EINVAL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (due.tv_sec < now.tv_sec || (due.tv_sec == now.tv_sec && due.tv_nsec < now.tv_nsec))
		due = now;
	pthread_mutex_unlock(&lock);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	pthread_mutex_lock(&lock);
	if (fault() == UNPLUGGED)
		return gone();
	if (!camera.streaming || !camera.queued)
		return failed(EAGAIN);
	camera.next = due;
	camera.next.tv_nsec += 1000000000 / RATE;
	if (camera.next.tv_nsec >= 1000000000) {
		camera.next.tv_sec++;
		camera.next.tv_nsec -= 1000000000;
	}
	unsigned index = camera.queue[0];
	memmove(camera.queue, camera.queue + 1, --camera.queued * sizeof camera.queue[0]);
	expose(index);
	describe_buffer(buffer, index);
	buffer->bytesused = (unsigned)frame_bytes();
	buffer->sequence = camera.sequence++;
	buffer->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	buffer->timestamp.tv_sec = due.tv_sec;
	buffer->timestamp.tv_usec = due.tv_nsec / 1000;
	return 0;
}

static int capabilities(struct v4l2_capability *told)
{
	memset(told, 0, sizeof *told);
	strcpy((char *)told->driver, "fakecam");
	strcpy((char *)told->card, NAME);
	strcpy((char *)told->bus_info, "platform:fakecam");
	told->version = 0x060100;
	told->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	told->capabilities = told->device_caps | V4L2_CAP_DEVICE_CAPS;
	return 0;
}

static int answer(unsigned long request, void *argument)
{
	struct v4l2_fmtdesc *kind = argument;
	struct v4l2_frmsizeenum *size = argument;
	struct v4l2_frmivalenum *interval = argument;
	struct v4l2_format *format = argument;
	struct v4l2_streamparm *rate = argument;

	if (fault() == UNPLUGGED)
		return gone();
	switch (request) {
	case VIDIOC_QUERYCAP:
		return capabilities(argument);
	case VIDIOC_ENUM_FMT:
		if (kind->index || kind->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
			return failed(EINVAL);
		kind->flags = 0;
		strcpy((char *)kind->description, "YUYV 4:2:2");
		kind->pixelformat = V4L2_PIX_FMT_YUYV;
		return 0;
	case VIDIOC_ENUM_FRAMESIZES:
		if (size->index >= SIZES || size->pixel_format != V4L2_PIX_FMT_YUYV)
			return failed(EINVAL);
		size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
		size->discrete.width = sizes[size->index].width;
		size->discrete.height = sizes[size->index].height;
		return 0;
	case VIDIOC_ENUM_FRAMEINTERVALS:
		if (interval->index || interval->pixel_format != V4L2_PIX_FMT_YUYV)
			return failed(EINVAL);
		interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
		interval->discrete.numerator = 1;
		interval->discrete.denominator = RATE;
		return 0;
	case VIDIOC_G_FMT:
		if (format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
			return failed(EINVAL);
		describe(&format->fmt.pix);
		return 0;
	case VIDIOC_TRY_FMT:
		return set_format(format, 1);
	case VIDIOC_S_FMT:
		return set_format(format, 0);
	case VIDIOC_G_PARM:
	case VIDIOC_S_PARM:
		memset(&rate->parm, 0, sizeof rate->parm);
		rate->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
		rate->parm.capture.timeperframe.numerator = 1;
		rate->parm.capture.timeperframe.denominator = RATE;
		return 0;
	case VIDIOC_REQBUFS:
		return request_buffers(argument);
	case VIDIOC_QUERYBUF:
		return describe_buffer(argument, ((struct v4l2_buffer *)argument)->index);
	case VIDIOC_QBUF:
		return queue(argument);
	case VIDIOC_DQBUF:
		return dequeue(argument);
	case VIDIOC_STREAMON:
		camera.streaming = 1;
		clock_gettime(CLOCK_MONOTONIC, &camera.next);
		return 0;
	case VIDIOC_STREAMOFF:
		camera.streaming = 0;
		camera.queued = 0;
		return 0;
	default:
		return failed(ENOTTY);
	}
}

static int control(unsigned long request, void *argument)
{
	pthread_mutex_lock(&lock);
	int result = answer(request & 0xffffffff, argument);
	int error = errno;
	pthread_mutex_unlock(&lock);
	errno = error;
	return result;
}

/* Rust's v4l crate goes this way. */
long syscall(long number, ...)
{
	long a[6];
	va_list arguments;

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_ioctl && is_camera((int)a[0]))
		return control((unsigned long)a[1], (void *)a[2]);
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (_IOC_TYPE(request) == 'V' && is_camera(fd))
		return control(request, argument);
	return REAL(ioctl)(fd, request, argument);
}

static int open_camera(void)
{
	int fd;

	switch (fault()) {
	case FORBIDDEN:
		return failed(EACCES);
	case UNPLUGGED:
		return failed(ENOENT);
	default:
		break;
	}
	pthread_mutex_lock(&lock);
	if (!camera.file)
		camera.file = memfd_create("fakecam", MFD_CLOEXEC);
	fd = fcntl(camera.file, F_DUPFD_CLOEXEC, 3);
	pthread_mutex_unlock(&lock);
	return fd;
}

static int open_name(void)
{
	int fd = memfd_create("fakecam-name", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, NAME "\n", sizeof NAME) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		abort();
	return fd;
}

#define OPEN(name)                                                         \
	int name(const char *path, int flags, ...)                         \
	{                                                                  \
		va_list arguments;                                         \
		va_start(arguments, flags);                                \
		mode_t mode = va_arg(arguments, mode_t);                   \
		va_end(arguments);                                         \
		if (!strcmp(path, DEVICE))                                 \
			return open_camera();                              \
		if (!strcmp(path, NAME_FILE) && fault() != UNPLUGGED)      \
			return open_name();                                \
		return REAL(name)(path, flags, mode);                      \
	}
OPEN(open)
OPEN(open64)

/* The listing of /dev that the camera is still missing from. */
static __thread DIR *listing;

DIR *opendir(const char *path)
{
	DIR *folder = REAL(opendir)(path);

	if (folder && !strcmp(path, "/dev") && fault() != UNPLUGGED)
		listing = folder;
	return folder;
}

struct dirent64 *readdir64(DIR *folder)
{
	static __thread struct dirent64 entry;
	struct dirent64 *found = REAL(readdir64)(folder);

	if (found || folder != listing)
		return found;
	listing = NULL;
	entry.d_ino = 1;
	entry.d_type = DT_CHR;
	entry.d_reclen = sizeof entry;
	strcpy(entry.d_name, NODE);
	return &entry;
}
