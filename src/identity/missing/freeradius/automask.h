/*
 * automask.h - stands for a header that libfreeradius' own headers include and that its packages
 * up to 3.2 leave out. All it does there is to hide macros from modules of the server, so it may
 * be empty.
 */
