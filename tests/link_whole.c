/* Linked with the whole of one folder and what is below it, and nothing else: a call upwards or
 * sideways does not link. */
int
main(void)
{
    return 0;
}
