/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times packets into a TAP device that this process holds, one steering program after the other.
 *
 *   burst TAP SENDER ROUNDS FD[:FD...] < frames
 *
 * The frames (16 bits of length in host order, then the bytes) are sent in bursts through the network device SENDER, the
 * TAP device itself or the other end of a bridge's port; with "-" they are written into the queues, as a guest transmits,
 * and end in the host's network stack. A burst fits into the queues and is read back before the next one,
 * so nothing is dropped and no reader competes for the CPU. FD is a loaded program, or -1 for automatic selection; they
 * take turns in every round. Prints nanoseconds a packet, a line for a round, a column for a program.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { QUEUES = 4, FRAMES = 256, LARGEST = 2048, PROGRAMS = 16, BURSTS = 40 };

static unsigned char frames[FRAMES][LARGEST];
static struct mmsghdr messages[FRAMES];
static struct iovec vectors[FRAMES];
static int queues[QUEUES];

static int read_frames(void)
{
	unsigned short length;
	int count = 0;

	while (count < FRAMES && fread(&length, sizeof(length), 1, stdin) == 1) {
		if (length > LARGEST || fread(frames[count], length, 1, stdin) != 1)
			errx(1, "frame %d is cut off or longer than %d bytes", count, LARGEST);
		vectors[count] = (struct iovec){ frames[count], length };
		messages[count].msg_hdr = (struct msghdr){ .msg_iov = &vectors[count], .msg_iovlen = 1 };
		count++;
	}
	if (!count)
		errx(1, "no frames on standard input");
	return count;
}

static void hold(const char *tap)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE };

	snprintf(request.ifr_name, IFNAMSIZ, "%s", tap);
	for (int queue = 0; queue < QUEUES; queue++) {
		queues[queue] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (queues[queue] < 0 || ioctl(queues[queue], TUNSETIFF, &request))
			err(1, "queue %d of %s", queue, tap);
	}
}

static int sender(const char *device)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET };
	struct ifreq request = {};
	int handle = socket(AF_PACKET, SOCK_RAW, 0);

	snprintf(request.ifr_name, IFNAMSIZ, "%s", device);
	if (handle < 0 || ioctl(handle, SIOCGIFINDEX, &request))
		err(1, "%s", device);
	address.sll_ifindex = request.ifr_ifindex;
	if (bind(handle, (struct sockaddr *)&address, sizeof(address)))
		err(1, "bind to %s", device);
	return handle;
}

static void send_all(int handle, int count)
{
	for (int sent = 0; sent < count;) {
		int done = sendmmsg(handle, messages + sent, count - sent, 0);

		if (done < 0)
			err(1, "sendmmsg");
		sent += done;
	}
}

static void write_all(int count)
{
	for (int frame = 0; frame < count; frame++)
		if (write(queues[frame % QUEUES], frames[frame], vectors[frame].iov_len) < 0)
			err(1, "write");
}

static int drain(void)
{
	unsigned char frame[LARGEST];
	int count = 0;

	for (int queue = 0; queue < QUEUES; queue++)
		while (read(queues[queue], frame, sizeof(frame)) > 0)
			count++;
	return count;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static double time_program(int handle, int count, int program)
{
	double spent = 0;

	if (ioctl(queues[0], TUNSETSTEERINGEBPF, &program))
		err(1, "TUNSETSTEERINGEBPF");
	for (int burst = 0; burst <= BURSTS; burst++) {
		double begin = now();
		int arrived;

		if (handle < 0)
			write_all(count);
		else
			send_all(handle, count);
		if (burst) /* the first one warms the caches */
			spent += now() - begin;
		arrived = drain();
		if (handle >= 0 && arrived < count) /* a bridge may say something of its own */
			errx(1, "%d of %d packets arrived", arrived, count);
	}
	return spent / BURSTS / count;
}

int main(int argc, char **argv)
{
	int programs[PROGRAMS], number = 0, count, rounds, handle;

	if (argc != 5)
		errx(2, "usage: burst TAP SENDER ROUNDS FD[:FD...] < frames");
	rounds = atoi(argv[3]);
	for (char *word = strtok(argv[4], ":"); word && number < PROGRAMS; word = strtok(NULL, ":"))
		programs[number++] = atoi(word);
	setvbuf(stdout, NULL, _IOLBF, 0); /* who reads a line knows that its round is over */
	count = read_frames();
	hold(argv[1]);
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF && ferror(stdin))
		err(1, "standard input");
	handle = strcmp(argv[2], "-") ? sender(argv[2]) : -1;
	drain();
	for (int round = 0; round < rounds; round++)
		for (int side = 0; side < number; side++)
			printf("%.1f%c", time_program(handle, count, programs[side]), side + 1 < number ? ' ' : '\n');
	return 0;
}
