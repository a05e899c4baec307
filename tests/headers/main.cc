// That the other files of this program compiled is the test.
int main() { return 0; }
