// drag URI shows a small area in the corner of the display, from which the URI
// is dragged as a file manager does it. It says on standard output what becomes
// of it: "ready", "begins", "accepted", "given" and "ends".
#include <gtk/gtk.h>
#include <stdio.h>

static char *uri;

static void say(const char *what) {
  puts(what);
  fflush(stdout);
}

// answered is called when the program under the mouse has said what it would do.
static void answered(GdkDragContext *drag, GdkDragAction action, gpointer unused) {
  if (action != 0) say("accepted");
}

static void begins(GtkWidget *from, GdkDragContext *drag, gpointer unused) {
  g_signal_connect(drag, "action-changed", G_CALLBACK(answered), NULL);
  say("begins");
}

static void give(GtkWidget *from, GdkDragContext *drag, GtkSelectionData *data, guint info, guint time, gpointer unused) {
  char *uris[] = {uri, NULL};
  gtk_selection_data_set_uris(data, uris);
  say("given");
}

static void ends(GtkWidget *from, GdkDragContext *drag, gpointer unused) { say("ends"); }

static gboolean drawn(GtkWidget *from, cairo_t *to, gpointer unused) {
  say("ready");
  return FALSE;
}

int main(int argc, char **argv) {
  gtk_init(&argc, &argv);
  if (argc != 2) return 2;
  uri = argv[1];
  GtkWidget *area = gtk_window_new(GTK_WINDOW_POPUP); // no window manager moves it
  gtk_window_move(GTK_WINDOW(area), 0, 0);
  gtk_window_resize(GTK_WINDOW(area), 60, 40);
  gtk_widget_add_events(area, GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK | GDK_BUTTON_MOTION_MASK);
  gtk_drag_source_set(area, GDK_BUTTON1_MASK, NULL, 0, GDK_ACTION_COPY);
  gtk_drag_source_add_uri_targets(area);
  g_signal_connect(area, "drag-begin", G_CALLBACK(begins), NULL);
  g_signal_connect(area, "drag-data-get", G_CALLBACK(give), NULL);
  g_signal_connect(area, "drag-end", G_CALLBACK(ends), NULL);
  g_signal_connect_after(area, "draw", G_CALLBACK(drawn), NULL);
  gtk_widget_show_all(area);
  gtk_main();
}
