/* The step loop of the default model in C: the practical limit that the engine is measured against.
 *
 * Same design as the engine: float32, blocks of LANES patients, one row per quantity, polynomials instead of libm,
 * Philox normals, one arm at a time, weekly steps, four of them between two looks at a block. Inside the loop nothing
 * asks who is dead: it leaves u and what is left of the threshold behind, and after four weeks a dead lane is copied
 * to a list, the last lane takes its place, and the list is inverted for the exact days when the block is done.
 *
 * The formulas are numbered in numpy_twin.py. Everything ending in _ is a vectorisable scalar function.
 */
#include <stdint.h>
#include <string.h>

#ifndef LANES
#define LANES 256 /* a little faster here than 128 */
#endif
#define VECTOR 16
#define INLINE static inline __attribute__((always_inline))
#define VECTORISE _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")

typedef struct { /* one set for all patients; made by c_twin.py */
    float kappa, state_share, volatility, memory, innovation, gain, slow_share, dose;
    float kappa0, kappa1, svc_steepness, csf;
    float keep1, keep2, keep, nfl_keep, nfl_in[3];
    float p[7][7]; /* rows e r x z1 z2 mean, then the drive at h/2; columns e r x z1 z2 i1 i2 */
} Constants;

/* Rows. Those up to BASIC are all that an untreated lane has; those up to MOVED follow a lane that moves. */
enum {
    U, LEFT, PHI, Z, N0, N1, N2, N3, SPEED, LOG_L, A, TAU0, TAU1, TAU2, TAU3, V0, TAU_V, NFL, BACKGROUND, WEIGHT, BASIC,
    C = BASIC, E, R, X, Z1, Z2, V, EC50, E_F, E_N, FLOOR, MOVED,
    U_AT = MOVED, LEFT_AT = U_AT + 4, M_AT = LEFT_AT + 4, DELTA_AT = M_AT + 4, K = DELTA_AT + 4, ROWS
};
/* Rows of the input, in the order of c_twin.py. */
enum {
    IN_U, IN_LEFT, IN_Z, IN_SPEED, IN_LOG_L, IN_A, IN_TAU0, IN_TAU1, IN_TAU2, IN_TAU3, IN_V0, IN_TAU_V, IN_NFL,
    IN_BACKGROUND, IN_EC50, IN_E_F, IN_E_N, IN_FLOOR, INPUTS
};
/* Rows of the list of events. */
enum { X_U, X_NEW, X_LEFT, X_AFTER, X_M, X_DELTA, X_LOG_L, X_DAY, EVENTS };

typedef struct {
    float s[ROWS][LANES];
    float x[EVENTS][LANES];
    uint32_t id[LANES], who[LANES];
    int n, events;
} __attribute__((aligned(64))) Block;

INLINE float as_float_(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
INLINE int32_t bits_(float x) { int32_t b; memcpy(&b, &x, 4); return b; }
INLINE float max_(float a, float b) { return a > b ? a : b; }
INLINE float min_(float a, float b) { return a < b ? a : b; }
#define TINY 1e-30f

INLINE float log2_(float x) { /* x > 0 and normal; relative error 3e-8 before rounding */
    int32_t b = bits_(x), e = (b - 0x3f3504f3) >> 23;
    float f = as_float_((uint32_t)(b - (e << 23))) - 1.0f, f2 = f * f;
    float p01 = 1.44269502f - 0.721347332f * f, p23 = 0.480910629f - 0.360703677f * f;
    float p45 = 0.287916243f - 0.238944829f * f, p678 = 0.215715617f - 0.207269683f * f + 0.125836894f * f2;
    return (p01 + f2 * p23 + f2 * f2 * (p45 + f2 * p678)) * f + (float)e;
}

INLINE float exp2_(float x) { /* x < 127; relative error 7.5e-8 before rounding */
    x = max_(x, -126.0f);
    float n = __builtin_rintf(x), f = x - n, f2 = f * f;
    float p01 = 1.00000012f + 0.693146944f * f, p23 = 0.240221202f + 0.0555071309f * f;
    float p45 = 0.00967554096f + 0.00132764713f * f;
    return as_float_((uint32_t)(bits_(p01 + f2 * (p23 + f2 * p45)) + ((int32_t)n << 23)));
}

INLINE void philox_(uint32_t x[4], uint32_t a, uint32_t b) {
    for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)0xD2511F53u * x[0], q = (uint64_t)0xCD9E8D57u * x[2];
        uint32_t y0 = (uint32_t)(q >> 32) ^ x[1] ^ a, y2 = (uint32_t)(p >> 32) ^ x[3] ^ b;
        x[1] = (uint32_t)q; x[3] = (uint32_t)p; x[0] = y0; x[2] = y2;
        a += 0x9E3779B9u; b += 0xBB67AE85u;
    }
}

INLINE float uniform_(uint32_t word) { return ((float)(int32_t)(word >> 9) + 0.5f) * 0x1p-23f; }

INLINE void normals_(uint32_t first, uint32_t second, float *cosine, float *sine) {
    float radius = __builtin_sqrtf(-1.38629436f * log2_(uniform_(first)));
    float t = uniform_(second) - 0.5f, s = t * t, c, d;
    c = 0.243774384f;
    c = c * s - 1.69688678f; c = c * s + 7.89916468f; c = c * s - 26.4256172f; c = c * s + 60.2445869f;
    c = c * s - 85.4568176f; c = c * s + 64.9393921f; c = c * s - 19.7392082f; c = c * s + 1.0f;
    d = -0.620820642f;
    d = d * s + 3.78135562f; d = d * s - 15.0865774f; d = d * s + 42.0577545f; d = d * s - 76.7058029f;
    d = d * s + 81.6052475f; d = d * s - 41.3417015f; d = d * s + 6.28318548f;
    *cosine = -radius * c; *sine = -radius * t * d;
}

static void draw(Block *b, int n, uint32_t group, const uint32_t seed[2]) {
    VECTORISE for (int i = 0; i < n; i++) {
        uint32_t x[4] = {b->id[i], group, 4u << 24, 0};
        philox_(x, seed[0], seed[1]);
        float z0, z1, z2, z3;
        normals_(x[0], x[1], &z0, &z1);
        normals_(x[2], x[3], &z2, &z3);
        b->s[N0][i] = z0; b->s[N1][i] = z1; b->s[N2][i] = z2; b->s[N3][i] = z3;
    }
}

static void renew(Block *b, int n, int epoch, const Constants *c) { /* a new q for 28 days; K = q h / D50 */
    float *normal = b->s[N0 + epoch % 4], scale = 1.44269504f * c->volatility, shift = scale * c->volatility / 2;
    float memory = c->memory, innovation = c->innovation;
    VECTORISE for (int i = 0; i < n; i++) {
        float z = memory * b->s[Z][i] + innovation * normal[i];
        b->s[Z][i] = z;
        b->s[K][i] = b->s[SPEED][i] * exp2_(scale * z - shift);
    }
}

INLINE float mean_phi_(float u, float new, float phi, float phi_new, float kappa) { /* formula 5, phi bar */
    float du = new - u, su = max_(u, TINY), sn = max_(new, TINY), bend = 2 * du / (u + new);
    float slopes = kappa * (phi * sn + phi_new * su) / (su * sn);
    float flat = 0.5f * slopes * (1 - (kappa - 1) * (kappa - 2) / 12 * bend * bend);
    return __builtin_fabsf(du) > 0.004f * __builtin_fabsf(u) ? (phi_new - phi) / du : flat;
}

INLINE void untreated_weeks(Block *b, int n, const int weeks, const Constants *c) {
    float kappa = c->kappa;
    VECTORISE for (int i = 0; i < n; i++) {
        float u = b->s[U][i], phi = b->s[PHI][i], left = b->s[LEFT][i], k = b->s[K][i], log_l = b->s[LOG_L][i];
        _Pragma("unroll") for (int w = 0; w < weeks; w++) {
            b->s[U_AT + w][i] = u; b->s[LEFT_AT + w][i] = left;
            float new = u + k, phi_new = exp2_(kappa * log2_(max_(new, TINY)) - log_l);
            left -= k * mean_phi_(u, new, phi, phi_new, kappa);
            u = new; phi = phi_new;
        }
        b->s[U][i] = u; b->s[PHI][i] = phi; b->s[LEFT][i] = left;
    }
}

INLINE void treated_weeks(Block *b, int n, const int weeks, float third_dose, const Constants *given) {
    const Constants c = *given;
    const float(*p)[7] = c.p;
    VECTORISE for (int i = 0; i < n; i++) {
        float u = b->s[U][i], phi = b->s[PHI][i], left = b->s[LEFT][i], k = b->s[K][i], log_l = b->s[LOG_L][i];
        float conc = b->s[C][i], e = b->s[E][i], r = b->s[R][i], x = b->s[X][i], z1 = b->s[Z1][i], z2 = b->s[Z2][i];
        float v = b->s[V][i], ec50 = b->s[EC50][i], e_f = b->s[E_F][i], floor = b->s[FLOOR][i];
        float drive = min_(r + c.slow_share * (x - r), 1.25f);
        _Pragma("unroll") for (int w = 0; w < weeks; w++) {
            if (w == 0) conc += c.dose;
            if (w == 2) conc += third_dose;
            float c1 = conc * c.keep1, c2 = conc * c.keep2; /* formula 1 */
            float both = c.gain / ((c1 + ec50) * (c2 + ec50));
            float i1 = c1 * (c2 + ec50) * both, i2 = c2 * (c1 + ec50) * both;
            conc *= c.keep;
            /* formula 2; zeros of P are left out by hand */
            float re = p[0][0] * e + p[0][5] * i1 + p[0][6] * i2;
            float rr = p[1][0] * e + p[1][1] * r + p[1][5] * i1 + p[1][6] * i2;
            float rx = p[2][0] * e + p[2][1] * r + p[2][2] * x + p[2][5] * i1 + p[2][6] * i2;
            float rz1 = p[3][0] * e + p[3][3] * z1 + p[3][5] * i1 + p[3][6] * i2;
            float rz2 = p[4][0] * e + p[4][3] * z1 + p[4][4] * z2 + p[4][5] * i1 + p[4][6] * i2;
            float mean = p[5][0] * e + p[5][3] * z1 + p[5][4] * z2 + p[5][5] * i1 + p[5][6] * i2;
            float at_half = p[6][0] * e + p[6][1] * r + p[6][2] * x + p[6][5] * i1 + p[6][6] * i2;
            float at_end = min_(rr + c.slow_share * (rx - rr), 1.25f); /* formula 3 */
            v = c.nfl_keep * v + c.nfl_in[0] * drive + c.nfl_in[1] * min_(at_half, 1.25f) + c.nfl_in[2] * at_end;
            drive = at_end;
            float m = 1 - e_f * mean, delta = -e_f * (rz2 - z2); /* formula 4 */
            float new = max_(u + k * m, floor), phi_new = exp2_(c.kappa * log2_(max_(new, TINY)) - log_l);
            b->s[U_AT + w][i] = u; b->s[LEFT_AT + w][i] = left; b->s[M_AT + w][i] = m; b->s[DELTA_AT + w][i] = delta;
            float gamma = max_(__builtin_fabsf(delta) * 0.5f, 1e-6f); /* formula 5 */
            float t = min_(max_(m + gamma, 0), 2 * gamma);
            float positive = t * t * 0.25f / gamma + max_(m - gamma, 0);
            float tilt = (c.kappa - 1) / 6 * k * delta / (u + new);
            tilt = min_(u, new) > 0 ? tilt : 0;
            float hazard = k * mean_phi_(u, new, phi, phi_new, c.kappa)
                           * (c.state_share * (1 - tilt) + (1 - c.state_share) * positive);
            left -= max_(u, new) > 0 ? hazard : 0;
            u = new; phi = phi_new; e = re; r = rr; x = rx; z1 = rz1; z2 = rz2;
        }
        b->s[U][i] = u; b->s[PHI][i] = phi; b->s[LEFT][i] = left; b->s[C][i] = conc; b->s[E][i] = e; b->s[R][i] = r;
        b->s[X][i] = x; b->s[Z1][i] = z1; b->s[Z2][i] = z2; b->s[V][i] = v;
    }
}

INLINE void observe(Block *b, int n, float ageing, const int treated, const Constants *given, double *sums) {
    const Constants c = *given;
    float total[4] = {0, 0, 0, 0}, rise = 1.44269504f / c.kappa1;
    float t0 = 0, t1 = 0, t2 = 0, t3 = 0;
    VECTORISE for (int i = 0; i < n; i++) {
        float u = b->s[U][i], log_u = log2_(max_(u, TINY)), a_log_u = b->s[A][i] * log_u, w = b->s[WEIGHT][i];
        float d0 = 1 + exp2_(a_log_u - b->s[TAU0][i]), d1 = 1 + exp2_(a_log_u - b->s[TAU1][i]);
        float d2 = 1 + exp2_(a_log_u - b->s[TAU2][i]), d3 = 1 + exp2_(a_log_u - b->s[TAU3][i]);
        float svc = b->s[V0][i] / (1 + exp2_(c.svc_steepness * log_u - b->s[TAU_V][i]));
        float nfl = b->s[NFL][i] * (1 - exp2_(-rise * max_(u + c.kappa0, 0)));
        if (treated) nfl *= max_(1 - b->s[E_N][i] * b->s[V][i], 0.02f);
        t0 += 12 * w * ((d0 + d1) / (d0 * d1) + (d2 + d3) / (d2 * d3));
        t1 += w * svc;
        t2 += w * (b->s[BACKGROUND][i] * ageing + nfl);
        t3 += w * (treated ? 1 - c.csf * b->s[E][i] : 1);
    }
    total[0] = t0; total[1] = t1; total[2] = t2; total[3] = t3;
    sums[0] += b->n;
    for (int j = 0; j < 4; j++) sums[j + 1] += total[j];
}

static void move(Block *b, int to, int from, int rows) {
    for (int r = 0; r < rows; r++) b->s[r][to] = b->s[r][from];
    for (int r = U_AT; r < K; r++) b->s[r][to] = b->s[r][from];
    b->id[to] = b->id[from];
}

static void bury(Block *b, int i, int week, int treated) { /* note the step in which lane i used up its threshold */
    int w = 0, x = b->events++;
    while (w < 3 && b->s[LEFT_AT + w + 1][i] > 0) w++;
    int last = w == 3; /* the values after week 3 are the state itself */
    b->x[X_U][x] = b->s[U_AT + w][i];
    b->x[X_LEFT][x] = b->s[LEFT_AT + w][i];
    b->x[X_NEW][x] = last ? b->s[U][i] : b->s[U_AT + w + 1][i];
    b->x[X_AFTER][x] = last ? b->s[LEFT][i] : b->s[LEFT_AT + w + 1][i];
    b->x[X_M][x] = treated ? b->s[M_AT + w][i] : 1;
    b->x[X_DELTA][x] = treated ? b->s[DELTA_AT + w][i] : 0;
    b->x[X_LOG_L][x] = b->s[LOG_L][i];
    b->x[X_DAY][x] = 7.0f * (float)(week + w);
    b->who[x] = b->id[i];
}

static void pack(Block *b, int week, int weeks, int treated) {
    for (int i = 0; weeks < 4 && i < b->n; i++) { /* a short last group: its end stands in the state */
        b->s[U_AT + weeks][i] = b->s[U][i]; b->s[LEFT_AT + weeks][i] = b->s[LEFT][i];
    }
    for (int i = b->n - 1; i >= 0; i--) {
        if (b->s[LEFT][i] > 0) continue;
        bury(b, i, week, treated);
        int end = --b->n;
        if (i != end) move(b, i, end, treated ? MOVED : BASIC);
        b->s[WEIGHT][end] = 0;
    }
}

static void invert(Block *b, const Constants *c, float *event_time) { /* formula 6 */
    float day[LANES] __attribute__((aligned(64))), kappa = c->kappa, eps = c->state_share;
    int n = (b->events + VECTOR - 1) / VECTOR * VECTOR;
    VECTORISE for (int i = 0; i < n; i++) {
        float u = b->x[X_U][i], du = b->x[X_NEW][i] - u, log_l = b->x[X_LOG_L][i];
        float s = b->x[X_LEFT][i] / (b->x[X_LEFT][i] - b->x[X_AFTER][i]);
        float phi = exp2_(kappa * log2_(max_(u, TINY)) - log_l);
        float phi_new = exp2_(kappa * log2_(max_(u + du, TINY)) - log_l);
        float at = exp2_((log2_(max_(phi + s * (phi_new - phi), TINY)) + log_l) / kappa);
        float theta = __builtin_fabsf(du) < 1e-4f * __builtin_fabsf(u) ? s : (at - u) / du;
        float m = b->x[X_M][i], half = b->x[X_DELTA][i] * 0.5f;
        float g0 = eps + (1 - eps) * max_(m - half, 0), g1 = eps + (1 - eps) * max_(m + half, 0), mean = 2 / (g0 + g1);
        g0 *= mean; g1 *= mean;
        day[i] = b->x[X_DAY][i] + 14 * theta / (g0 + __builtin_sqrtf(g0 * g0 + 2 * (g1 - g0) * theta));
    }
    for (int i = 0; i < b->events; i++) event_time[b->who[i]] = day[i];
}

static void load(Block *b, const float *in, long first, long total, const Constants *c) {
    static const int from[] = {IN_U, IN_LEFT, IN_Z, IN_SPEED, IN_LOG_L, IN_A, IN_TAU0, IN_TAU1, IN_TAU2, IN_TAU3, IN_V0,
                               IN_TAU_V, IN_NFL, IN_BACKGROUND, IN_EC50, IN_E_F, IN_E_N, IN_FLOOR};
    static const int into[] = {U, LEFT, Z, SPEED, LOG_L, A, TAU0, TAU1, TAU2, TAU3, V0,
                               TAU_V, NFL, BACKGROUND, EC50, E_F, E_N, FLOOR};
    memset(b, 0, sizeof *b);
    b->n = (int)(total - first < LANES ? total - first : LANES);
    for (int r = 0; r < INPUTS; r++)
        for (int i = 0; i < LANES; i++) b->s[into[r]][i] = in[from[r] * total + first + (i < b->n ? i : 0)];
    for (int i = 0; i < LANES; i++) {
        b->id[i] = (uint32_t)(first + i);
        b->s[WEIGHT][i] = i < b->n;
        b->s[PHI][i] = exp2_(c->kappa * log2_(max_(b->s[U][i], TINY)) - b->s[LOG_L][i]);
    }
}

INLINE void some_weeks(Block *b, int n, const int weeks, const int treated, float third_dose, const Constants *c) {
    if (treated) treated_weeks(b, n, weeks, third_dose, c);
    else untreated_weeks(b, n, weeks, c);
}

INLINE void run_block(Block *b, int weeks, const uint32_t seed[2], const Constants *c, const int treated,
                      const float *ageing, double *sums, float *event_time) {
    for (int week = 0; week < weeks && b->n > 0; week += 4) {
        int epoch = week / 4, n = (b->n + VECTOR - 1) / VECTOR * VECTOR, now = weeks - week < 4 ? weeks - week : 4;
        observe(b, n, ageing[epoch], treated, c, sums + 5 * epoch);
        if (epoch % 4 == 0) draw(b, n, (uint32_t)epoch / 4, seed);
        renew(b, n, epoch, c);
        float third = week == 0 ? c->dose : 0;
        switch (now) { /* the number of weeks is a constant in each */
        case 4: some_weeks(b, n, 4, treated, third, c); break;
        case 3: some_weeks(b, n, 3, treated, third, c); break;
        case 2: some_weeks(b, n, 2, treated, third, c); break;
        default: some_weeks(b, n, 1, treated, third, c);
        }
        pack(b, week, now, treated);
    }
    if (weeks % 4 == 0 && b->n > 0)
        observe(b, (b->n + VECTOR - 1) / VECTOR * VECTOR, ageing[weeks / 4], treated, c, sums + 5 * (weeks / 4));
    invert(b, c, event_time);
}

/* in: (INPUTS, n). event_time: (2, n) days, filled with NaN by the caller. sums: (2, weeks / 4 + 1, 5). */
void simulate(const Constants *c, const float *in, long n, int weeks, const uint32_t *seed, const float *ageing,
              float *event_time, double *sums) {
    Block block;
    for (long first = 0; first < n; first += LANES) {
        load(&block, in, first, n, c);
        run_block(&block, weeks, seed, c, 0, ageing, sums, event_time);
        load(&block, in, first, n, c);
        run_block(&block, weeks, seed, c, 1, ageing, sums + 5 * (weeks / 4 + 1), event_time + n);
    }
}

void philox(uint32_t *counter, const uint32_t *key) { philox_(counter, key[0], key[1]); }
