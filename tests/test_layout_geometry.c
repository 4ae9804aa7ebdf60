#include "agent/media/layout_geometry.h"

#include <glib.h>

#define WIDTH  1280
#define HEIGHT 720

static void
check_inside_and_even(const LayoutRect *tile)
{
    g_assert_cmpint(tile->x, >=, 0);
    g_assert_cmpint(tile->y, >=, 0);
    g_assert_cmpint(tile->width, >, 0);
    g_assert_cmpint(tile->height, >, 0);
    g_assert_cmpint(tile->x + tile->width, <=, WIDTH);
    g_assert_cmpint(tile->y + tile->height, <=, HEIGHT);
    g_assert_cmpint((tile->x | tile->y | tile->width | tile->height) & 1, ==, 0);
}

static bool
overlap(const LayoutRect *a, const LayoutRect *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

static void
check_apart(const LayoutRect *tiles, unsigned n_tiles)
{
    for (unsigned i = 0; i < n_tiles; i++) {
        check_inside_and_even(&tiles[i]);
        for (unsigned j = 0; j < i; j++)
            g_assert_false(overlap(&tiles[i], &tiles[j]));
    }
}

static void
test_grid_is_equal_and_apart(void)
{
    LayoutRect tiles[LAYOUT_GEOMETRY_MAX_TILES];

    for (unsigned n = 1; n <= LAYOUT_GEOMETRY_MAX_TILES; n++) {
        layout_geometry_grid(tiles, n, WIDTH, HEIGHT);

        check_apart(tiles, n);
        for (unsigned i = 1; i < n; i++) {
            g_assert_cmpint(tiles[i].width, ==, tiles[0].width);
            g_assert_cmpint(tiles[i].height, ==, tiles[0].height);
        }
    }
}

static void
test_grid_has_the_usual_shapes(void)
{
    static const struct {
        unsigned n_tiles, n_columns;
    } rows[] = {
        {1,  1},
        {2,  2},
        {3,  2},
        {4,  2},
        {6,  3},
        {9,  3},
        {12, 4},
        {25, 5},
    };
    LayoutRect tiles[LAYOUT_GEOMETRY_MAX_TILES];

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned n_columns = 1;

        layout_geometry_grid(tiles, rows[i].n_tiles, WIDTH, HEIGHT);
        while (n_columns < rows[i].n_tiles && tiles[n_columns].y == tiles[0].y)
            n_columns++;

        g_assert_cmpuint(n_columns, ==, rows[i].n_columns);
    }
}

static void
test_speaker_is_the_largest(void)
{
    LayoutRect tiles[LAYOUT_GEOMETRY_MAX_TILES];

    for (unsigned n = 1; n <= LAYOUT_GEOMETRY_MAX_TILES; n++) {
        for (unsigned large = 0; large < n; large++) {
            layout_geometry_speaker(tiles, n, large, WIDTH, HEIGHT);

            check_apart(tiles, n);
            for (unsigned i = 0; i < n; i++) {
                if (i != large) {
                    g_assert_cmpint(tiles[i].width * tiles[i].height * 5, <,
                                    tiles[large].width * tiles[large].height);
                }
            }
        }
    }
}

static void
test_a_picture_keeps_its_shape(void)
{
    static const struct {
        unsigned width, height;
        LayoutRect fit;
    } rows[] = {
        {640,   480,   {150, 50, 400, 300}},
        {480,   640,   {238, 50, 224, 300}},
        {1280,  720,   {100, 60, 500, 280}},
        {1,     16384, {348, 50, 2, 300}  },
        {16384, 1,     {100, 198, 500, 2} },
    };
    const LayoutRect tile = {100, 50, 500, 300};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const LayoutRect fit = layout_geometry_fit(&tile, rows[i].width, rows[i].height);

        g_assert_cmpint(fit.x, ==, rows[i].fit.x);
        g_assert_cmpint(fit.y, ==, rows[i].fit.y);
        g_assert_cmpint(fit.width, ==, rows[i].fit.width);
        g_assert_cmpint(fit.height, ==, rows[i].fit.height);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/layout_geometry/grid-is-equal-and-apart", test_grid_is_equal_and_apart);
    g_test_add_func("/layout_geometry/grid-has-the-usual-shapes", test_grid_has_the_usual_shapes);
    g_test_add_func("/layout_geometry/speaker-is-the-largest", test_speaker_is_the_largest);
    g_test_add_func("/layout_geometry/a-picture-keeps-its-shape", test_a_picture_keeps_its_shape);
    return g_test_run();
}
