// libpq's words untranslated: loaded in front of a broker under a sanitizer. With a sanitizer's runtime preloaded,
// glibc's lock of the translations in Debian's broker counts one reader too few (seen: -1), and libpq's first
// connection waits for it forever.
extern "C" {

__attribute__((visibility("default"))) char* bindtextdomain(const char*, const char* folder) {
  return const_cast<char*>(folder);
}
__attribute__((visibility("default"))) char* dgettext(const char*, const char* text) {
  return const_cast<char*>(text);
}
__attribute__((visibility("default"))) char* dcgettext(const char*, const char* text, int) {
  return const_cast<char*>(text);
}
__attribute__((visibility("default"))) char* dngettext(const char*, const char* one, const char* many,
                                                       unsigned long n) {
  return const_cast<char*>(n == 1 ? one : many);
}
}
