/* nothing.c: a program without sockets, for the time to start. */
int main(void)
{
	return 0;
}
