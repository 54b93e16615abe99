/* When memory runs out a library gives its caller an error; a program had better end: half an answer, or a record made from it, is worse
   than none. So a program says what is to happen, and buffers, arenas and parsers call it before they report the error. */
#ifndef COMITY_BASE_MEMORY_H
#define COMITY_BASE_MEMORY_H

/* NULL, as at the start: callers get E_NOMEM. Else it does not return. Of the whole process; to be set while it has one thread. */
void memory_on_exhausted(void (*stop)(void));
void memory_exhausted(void); /* called where memory was wanting */

#endif
