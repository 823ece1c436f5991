/* Stands in for the bootstrapper of WebView2: writes down how it was called. */
#include <stdio.h>

int main(int count, char **words) {
  FILE *file = fopen("C:\\webview2.txt", "w");
  if (!file) return 1;
  for (int n = 1; n < count; n++) fprintf(file, "%s\n", words[n]);
  return fclose(file);
}
